/*===- model_stub.c - a model library without a model
 * -----------------------===*
 *
 * Implements ModelABI.h by hand, so that the Python package is tested without
 * the compiler. Compiled by test_model.py; -DNO_LANGUAGE_MODEL, -DABI=N and
 * -DFAIL_OPEN vary it.
 *
 *===----------------------------------------------------------------------===*/
#include "tern/Runtime/ModelABI.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef ABI
#define ABI TERN_ABI_VERSION
#endif

struct TernSession {
  int threads;
};

static const TernTensorSpec inputs[] = {
    {"x", {-1, 3}, {"rows", NULL}, 2, TERN_F32},
    {"half", {-1}, {NULL}, 1, TERN_BF16},
    {"flag", {0}, {NULL}, 0, TERN_BOOL},
};

/* One output of every dtype would be the inputs again: y = 2 x, the others are
 * copies, and `info` holds the ranks and dtypes that arrived. */
static const TernTensorSpec outputs[] = {
    {"y", {-1, 3}, {"rows", NULL}, 2, TERN_F32},
    {"half_copy", {-1}, {NULL}, 1, TERN_BF16},
    {"flag_copy", {0}, {NULL}, 0, TERN_BOOL},
    {"info", {2, 3}, {NULL}, 2, TERN_I64},
};

static const TernLanguageModel language_model = {
    1000, 512, TERN_CACHE_IN_PLACE, 0, NULL, 0, 1, 2, 3};

const TernModel tern_model = {
    ABI,  3, 4,    0, "stub", "test", inputs, outputs, NULL,
#ifdef NO_LANGUAGE_MODEL
    NULL,
#else
    &language_model,
#endif
    NULL, 0, NULL, 0, "{}",
};

static const char *last_error = "";
static int open_sessions;
static int live_tensors;

static int fail(const char *message) {
  last_error = message;
  return TERN_ERROR_INPUT;
}

int tern_open(int threads, TernSession **session) {
#ifdef FAIL_OPEN
  return fail("no memory for caches");
#endif
  *session = malloc(sizeof(TernSession));
  (*session)->threads = threads;
  ++open_sessions;
  return TERN_OK;
}

void tern_close(TernSession *session) {
  free(session);
  --open_sessions;
}

const char *tern_last_error(void) { return last_error; }
const TernModel *tern_get_model(void) { return &tern_model; }

static int64_t count(const TernTensor *tensor) {
  int64_t total = 1;
  for (int i = 0; i < tensor->rank; ++i)
    total *= tensor->dims[i];
  return total;
}

static void *allocate(size_t size) {
  ++live_tensors;
  return malloc(size + 1);
}

static void copy(const TernTensor *from, TernTensor *to, size_t width) {
  *to = *from;
  to->data = allocate(count(from) * width);
  memcpy(to->data, from->data, count(from) * width);
}

int tern_run(TernSession *session, const TernTensor *in, TernTensor *out) {
  if (in[0].dims[0] == 13)
    return fail("13 rows bring bad luck");
  copy(&in[0], &out[0], sizeof(float));
  for (int64_t i = 0; i < count(&in[0]); ++i)
    ((float *)out[0].data)[i] *= 2;
  copy(&in[1], &out[1], 2);
  copy(&in[2], &out[2], 1);
  TernTensor info = {allocate(6 * sizeof(int64_t)), {2, 3}, 2, TERN_I64};
  for (int i = 0; i < 3; ++i) {
    ((int64_t *)info.data)[i] = in[i].rank;
    ((int64_t *)info.data)[3 + i] = in[i].dtype;
  }
  out[3] = info;
  return TERN_OK;
}

void tern_free(void *data) {
  live_tensors -= data != NULL;
  free(data);
}

/* Says back what it was asked, in pieces that end inside the buffer. */
int tern_generate(TernSession *session, const char *prompt, size_t prompt_size,
                  int64_t max_tokens, const TernSampling *sampling,
                  TernTextFn emit, void *context) {
  if (prompt_size == 0)
    return fail("the prompt is empty");
  char text[256];
  int size =
      snprintf(text, sizeof text, "%.17g %d %.17g %.17g %llu %d %zu!",
               sampling->temperature, sampling->top_k, sampling->top_p,
               sampling->repetition_penalty, (unsigned long long)sampling->seed,
               session->threads, prompt_size);
  if (emit(context, text, size - 1))
    return TERN_OK;
  for (int64_t i = 0; i < max_tokens; ++i)
    if (emit(context, prompt, prompt_size))
      return TERN_OK;
  return TERN_OK;
}

/* For the test: what the library still holds, and what the C compiler makes of
 * the header. */
int stub_open_sessions(void) { return open_sessions; }
int stub_live_tensors(void) { return live_tensors; }

#define SIZE(type) {#type, "", sizeof(type)}
#define FIELD(type, field) {#type, #field, offsetof(type, field)}
const struct {
  const char *type, *field;
  size_t value;
} stub_layout[] = {
    SIZE(TernTensor),
    FIELD(TernTensor, data),
    FIELD(TernTensor, dims),
    FIELD(TernTensor, rank),
    FIELD(TernTensor, dtype),
    SIZE(TernTensorSpec),
    FIELD(TernTensorSpec, name),
    FIELD(TernTensorSpec, dims),
    FIELD(TernTensorSpec, symbols),
    FIELD(TernTensorSpec, rank),
    FIELD(TernTensorSpec, dtype),
    SIZE(TernLanguageModel),
    FIELD(TernLanguageModel, vocab),
    FIELD(TernLanguageModel, context),
    FIELD(TernLanguageModel, cache_kind),
    FIELD(TernLanguageModel, num_caches),
    FIELD(TernLanguageModel, caches),
    FIELD(TernLanguageModel, input_ids),
    FIELD(TernLanguageModel, attention_mask),
    FIELD(TernLanguageModel, position_ids),
    FIELD(TernLanguageModel, logits),
    SIZE(TernModel),
    FIELD(TernModel, abi_version),
    FIELD(TernModel, num_inputs),
    FIELD(TernModel, num_outputs),
    FIELD(TernModel, num_variants),
    FIELD(TernModel, name),
    FIELD(TernModel, producer),
    FIELD(TernModel, inputs),
    FIELD(TernModel, outputs),
    FIELD(TernModel, variants),
    FIELD(TernModel, language_model),
    FIELD(TernModel, fetched),
    FIELD(TernModel, num_fetched),
    FIELD(TernModel, tokenizer),
    FIELD(TernModel, tokenizer_size),
    FIELD(TernModel, details),
    SIZE(TernSampling),
    FIELD(TernSampling, temperature),
    FIELD(TernSampling, top_k),
    FIELD(TernSampling, top_p),
    FIELD(TernSampling, repetition_penalty),
    FIELD(TernSampling, seed),
    {NULL, NULL, 0},
};
