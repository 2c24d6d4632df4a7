/* Feeds tokens to the step of tern_model: TOKENS... with "/" between the calls,
 * and prints the logits of the last two tokens of each. */
#include "serial_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kMaxTokens = 128, kMaxCaches = 8, kLogits = 2 };

int main(int argc, char **argv) {
  const TernLanguageModel *model = tern_model.language_model;
  void *caches[kMaxCaches];
  for (int32_t i = 0; i < model->num_caches; ++i)
    caches[i] = calloc(1, (size_t)model->caches[i].bytes);
  float *logits = malloc(kLogits * (size_t)model->vocab * sizeof(float));
  int64_t tokens[kMaxTokens], count = 0, past = 0;
  for (int arg = 1; arg <= argc; ++arg) {
    if (arg < argc && strcmp(argv[arg], "/") != 0) {
      tokens[count++] = atoi(argv[arg]);
      continue;
    }
    int64_t rows = count < kLogits ? count : kLogits;
    tern_model.variants[0].step(&serialHost, tokens, count, past, caches, rows,
                                /*num_best=*/0, logits);
    for (int64_t i = 0; i < rows * model->vocab; ++i)
      printf("%.9g%c", logits[i],
             i % model->vocab == model->vocab - 1 ? '\n' : ' ');
    past += count;
    count = 0;
  }
  return 0;
}
