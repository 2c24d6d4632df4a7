/* Prints the logits of every token that tern_model's graph gives for the whole
 * sequence TOKENS..., and then, if it has a step, those of the step, which
 * reads one token after the other. */
#include "serial_host.h"

enum { kMaxTokens = 64, kMaxCaches = 8 };

static void printRows(const float *logits, int64_t rows, int64_t vocab) {
  for (int64_t i = 0; i < rows * vocab; ++i)
    printf("%.9g%c", logits[i], i % vocab == vocab - 1 ? '\n' : ' ');
}

int main(int argc, char **argv) {
  const TernLanguageModel *model = tern_model.language_model;
  int64_t tokens[kMaxTokens], count = 0;
  for (int arg = 1; arg < argc && count < kMaxTokens; ++arg)
    tokens[count++] = atoi(argv[arg]);
  TernTensor input = {tokens, {1, count}, 2, TERN_I64}, output = {0};
  tern_model.variants[0].run(&serialHost, &input, &output);
  printRows(output.data, output.dims[1], model->vocab);
  if (!tern_model.variants[0].step)
    return 0;
  void *caches[kMaxCaches];
  for (int32_t i = 0; i < model->num_caches; ++i)
    caches[i] = calloc(1, (size_t)model->caches[i].bytes);
  float *logits = malloc((size_t)model->vocab * sizeof(float));
  for (int64_t past = 0; past < count; ++past) {
    tern_model.variants[0].step(&serialHost, tokens + past, 1, past, caches, 1,
                                /*num_best=*/0, logits);
    printRows(logits, 1, model->vocab);
  }
  return 0;
}
