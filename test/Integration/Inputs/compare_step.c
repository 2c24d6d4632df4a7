/* Reads a sequence of tokens by the step of tern_model, in calls of different
 * lengths, and as a whole by its run, and prints the largest difference of their
 * logits, over all positions; then once more, with the first calls asked for no
 * logits. The model has no cache of its own. */
#include "serial_host.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kTokens = 24, kFirstWanted = 7, kMaxInputs = 8, kMaxOutputs = 8, kMaxCaches = 16 };

/* Calls before the position `first`, which is the beginning of one, give none. */
static void stepThrough(const TernLanguageModel *model, const int64_t *tokens,
                        int64_t first, float *logits) {
  static const int64_t calls[] = {1, 5, 1, 1, 7, 2, 1, 6};
  void *caches[kMaxCaches];
  for (int32_t i = 0; i < model->num_caches; ++i)
    caches[i] = calloc(1, (size_t)model->caches[i].bytes);
  for (int64_t past = 0, i = 0; past < kTokens; past += calls[i++])
    tern_model.variants[0].step(&serialHost, tokens + past, calls[i], past, caches,
                                past < first ? 0 : calls[i], 0,
                                logits + past * model->vocab);
}

static void runWhole(const TernLanguageModel *model, int64_t *tokens,
                     float *logits) {
  int64_t ones[kTokens], positions[kTokens];
  for (int64_t i = 0; i < kTokens; ++i) {
    ones[i] = 1;
    positions[i] = i;
  }
  TernTensor inputs[kMaxInputs] = {0}, outputs[kMaxOutputs] = {0};
  void *data[] = {tokens, ones, positions};
  int32_t roles[] = {model->input_ids, model->attention_mask,
                     model->position_ids};
  for (int i = 0; i < 3; ++i) {
    if (roles[i] < 0)
      continue;
    TernTensor input = {data[i], {1, kTokens}, 2, TERN_I64};
    inputs[roles[i]] = input;
  }
  for (int32_t i = 0; i < tern_model.num_outputs; ++i) {
    outputs[i].rank = tern_model.outputs[i].rank;
    outputs[i].dtype = tern_model.outputs[i].dtype;
  }
  tern_model.variants[0].run(&serialHost, inputs, outputs);
  memcpy(logits, outputs[model->logits].data,
         (size_t)(kTokens * model->vocab) * sizeof(float));
}

int main(void) {
  const TernLanguageModel *model = tern_model.language_model;
  if (!model || model->cache_kind != TERN_CACHE_IN_PLACE) {
    printf("no step\n");
    return 1;
  }
  int64_t tokens[kTokens];
  for (int64_t i = 0; i < kTokens; ++i)
    tokens[i] = (i * i * 7 + 3 * i + 1) % model->vocab;
  size_t count = (size_t)(kTokens * model->vocab);
  float *stepped = malloc(count * sizeof(float));
  float *whole = malloc(count * sizeof(float));
  runWhole(model, tokens, whole);
  double largest = 0, size = 0;
  for (int64_t first = 0; first <= kFirstWanted; first += kFirstWanted) {
    stepThrough(model, tokens, first, stepped);
    for (size_t i = (size_t)(first * model->vocab); i < count; ++i) {
      double difference = fabs((double)stepped[i] - (double)whole[i]);
      largest = difference > largest || isnan(difference) ? difference : largest;
      size = fmax(size, fabs((double)whole[i]));
    }
  }
  printf("%d caches, logits up to %.3g, step differs by %.2g: %s\n",
         (int)model->num_caches, size, largest,
         largest < 1e-4 && size > 0.1 ? "equal" : "different");
  return 0;
}
