/* Calls the step of tern_model for one token at a short and at a long past, with
 * every page of the caches write-protected that holds no new row, and prints
 * what the temporaries grew by for each position, beside what a copy of one
 * cache would take. Linked with --wrap=aligned_alloc and --wrap=malloc. */
#define _GNU_SOURCE
#include "serial_host.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { kMaxCaches = 8, kPage = 4096, kShort = 8, kLong = 3000 };

static size_t allocated;

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size) {
  allocated += size;
  return __real_aligned_alloc(alignment, size);
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size) {
  allocated += size;
  return __real_malloc(size);
}

/* Leaves only the pages writable that row `past` of a head lies in. A cache is
 * [heads, context, size], so `heads` rows lie apart by an equal distance. */
static void protect(char *cache, int64_t bytes, int64_t heads, int64_t row,
                    int64_t past) {
  mprotect(cache, (size_t)bytes, PROT_READ);
  for (int64_t head = 0; head < heads; ++head) {
    int64_t begin = head * (bytes / heads) + past * row;
    int64_t first = begin / kPage * kPage;
    mprotect(cache + first, (size_t)(begin + row - first),
             PROT_READ | PROT_WRITE);
  }
}

int main(int argc, char **argv) {
  const TernLanguageModel *model = tern_model.language_model;
  int64_t heads = argc > 1 ? atoi(argv[1]) : 1, token = 3;
  void *caches[kMaxCaches];
  for (int32_t i = 0; i < model->num_caches; ++i)
    caches[i] = mmap(NULL, (size_t)model->caches[i].bytes,
                     PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  float *logits = malloc((size_t)model->vocab * sizeof(float));
  int64_t pasts[] = {kShort, kLong};
  size_t sizes[2];
  for (int call = 0; call < 2; ++call) {
    for (int32_t i = 0; i < model->num_caches; ++i) {
      int64_t bytes = model->caches[i].bytes;
      protect(caches[i], bytes, heads, bytes / heads / model->context,
              pasts[call]);
    }
    allocated = 0;
    tern_model.variants[0].step(&serialHost, &token, 1, pasts[call], caches, 1,
                                /*num_best=*/0, logits);
    sizes[call] = allocated;
  }
  int64_t grown = ((int64_t)sizes[1] - (int64_t)sizes[0]) / (kLong - kShort);
  int64_t copied = model->caches[0].bytes / model->context;
  printf("temporaries grow by %lld bytes a position, a copy by %lld: %s\n",
         (long long)grown, (long long)copied,
         grown * 2 < copied ? "no copy" : "copied");
  return 0;
}
