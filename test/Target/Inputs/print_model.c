/* Prints tern_model as ModelABI.h declares it. */
#include "tern/Runtime/ModelABI.h"

#include <inttypes.h>
#include <stdio.h>

static void printTensors(const char *what, const TernTensorSpec *specs,
                         int32_t count) {
  for (int32_t i = 0; i < count; ++i) {
    printf("%s %s: dtype %d [", what, specs[i].name, specs[i].dtype);
    for (int32_t dim = 0; dim < specs[i].rank; ++dim) {
      const char *symbol = specs[i].symbols[dim];
      printf(dim ? ", " : "");
      if (symbol)
        printf("%s=", symbol);
      printf("%" PRId64, specs[i].dims[dim]);
    }
    printf("]\n");
  }
}

static void printLanguageModel(const TernLanguageModel *model) {
  printf("language model: vocab %" PRId64 " context %" PRId64
         " cache kind %d ids %d mask %d positions %d logits %d\n",
         model->vocab, model->context, model->cache_kind, model->input_ids,
         model->attention_mask, model->position_ids, model->logits);
  for (int32_t i = 0; i < model->num_caches; ++i) {
    const TernCacheSpec *cache = &model->caches[i];
    printf("cache %d -> %d axis %d dtype %d bytes %" PRId64 "\n", cache->past,
           cache->present, cache->axis, cache->dtype, cache->bytes);
  }
}

int main(void) {
  const TernModel *model = &tern_model;
  printf("abi %u\nname %s\nproducer %s\ndetails %s\n", model->abi_version,
         model->name, model->producer, model->details);
  printf("tokenizer %" PRId64 " bytes %.*s\n", model->tokenizer_size,
         (int)model->tokenizer_size, model->tokenizer ? model->tokenizer : "");
  printTensors("input", model->inputs, model->num_inputs);
  printTensors("output", model->outputs, model->num_outputs);
  for (int32_t i = 0; i < model->num_variants; ++i) {
    const TernVariant *variant = &model->variants[i];
    printf("variant %s needs %" PRIu64 "%s%s\n", variant->name,
           variant->features, variant->run ? " run" : "",
           variant->step ? " step" : "");
    for (const TernKernel *k = variant->kernels; k->body; ++k)
      if (k->bytes > 0)
        printf("kernel %s: bytes %" PRId64 " macs %" PRId64 " + %" PRId64
               " a token\n",
               k->name, k->bytes, k->macs, k->macs_per_token);
  }
  if (model->language_model)
    printLanguageModel(model->language_model);
  return 0;
}
