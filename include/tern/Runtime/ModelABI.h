/*===- ModelABI.h - what a compiled model offers, in C --------------------===*
 *
 * The one header that the compiler, the runtime and users' programs share.
 * ternc emits a constant `tern_model` of type TernModel; the runtime drives it.
 * Users of a library built with --emit=lib call the functions at the end.
 *
 *===----------------------------------------------------------------------===*/
#ifndef TERN_RUNTIME_MODELABI_H
#define TERN_RUNTIME_MODELABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TERN_ABI_VERSION 8
#define TERN_MAX_RANK 8

/* Element types, numbered as ONNX's TensorProto.DataType. */
enum TernDType {
  TERN_F32 = 1,
  TERN_U8 = 2,
  TERN_I8 = 3,
  TERN_U16 = 4,
  TERN_I16 = 5,
  TERN_I32 = 6,
  TERN_I64 = 7,
  TERN_BOOL = 9, /* one byte an element, 0 or 1 */
  TERN_F16 = 10,
  TERN_F64 = 11,
  TERN_U32 = 12,
  TERN_U64 = 13,
  TERN_BF16 = 16
};

/* A dense, row-major array. As an output, `data` comes from malloc and the
 * caller frees it; it is never null, even for an array without elements. */
typedef struct TernTensor {
  void *data;
  int64_t dims[TERN_MAX_RANK];
  int32_t rank;
  int32_t dtype;
} TernTensor;

/* What the graph declares of one input or output. */
typedef struct TernTensorSpec {
  const char *name;
  int64_t dims[TERN_MAX_RANK];        /* -1: decided at run time */
  const char *symbols[TERN_MAX_RANK]; /* name of a dimension, or null */
  int32_t rank;
  int32_t dtype;
} TernTensorSpec;

/* Services that generated code calls. Owned by the runtime. */
typedef struct TernHost {
  void *self;
  /* Calls body(context, begin, end) on disjoint ranges that cover [0, count),
   * on any number of threads, and returns when all are done. */
  void (*parallel_for)(void *self, int64_t count,
                       void (*body)(void *context, int64_t begin, int64_t end),
                       void *context);
  /* Reports that the inputs contradict each other (shapes that do not
   * broadcast, say) or ask for more memory than there is. Copies `message`,
   * which may be gone afterwards. Does not return: it jumps back out of run or
   * step without unwinding, so what malloc gave since is lost. May be called by
   * the body of parallel_for, on any thread: then no more of the loop's
   * iterations begin, and the jump follows when all threads are done with
   * theirs. Outputs written by then are freed. */
  void (*fail)(void *self, const char *message);
  /* Copies `bytes` bytes of one of the model's constants to `target`, as memcpy
   * does, but need not map the constant's pages to do so: for constants of
   * which a call reads few places. Called on any thread. */
  void (*fetch)(void *self, const void *constant, void *target, int64_t bytes);
  /* Memory of `bytes` bytes for as long as the call runs, aligned to 64 bytes
   * and not cleared; null if there is none. The host may take it back when the
   * call fails (Tern's runtime does from 64 KiB on). Called on any thread. */
  void *(*allocate)(void *self, int64_t bytes);
  /* Takes back what allocate returned for as many bytes. Called on any thread.
   */
  void (*release)(void *self, void *address, int64_t bytes);
  /* Says that what the call still asks of allocate is little: memory that large
   * buffers had may go back to the system. */
  void (*trim)(void *self);
  /* Says that a loop to come, if the call is for one token, reads `constant`,
   * of `bytes` bytes, in `streams` >= 1 parts of about equal size at once, each
   * from its beginning: until the next announcement, threads that wait may
   * fetch it. Not called by the body of parallel_for. */
  void (*announce)(void *self, const void *constant, int64_t bytes,
                   int64_t streams);
} TernHost;

/* Runs the graph: reads num_inputs tensors, fills `data` and `dims` of
 * num_outputs, whose rank and dtype the caller has set from their specs. The
 * inputs match their specs in dtype, rank and static dimensions (the caller has
 * checked). */
typedef void (*TernRunFn)(const TernHost *host, const TernTensor *inputs,
                          TernTensor *outputs);

/* Feeds `count` >= 1 tokens at positions past .. past + count - 1 of one
 * sequence, appends their keys and values to the caches, and writes the logits
 * of the last `num_logits` of them, `[num_logits, vocab]` in f32. If num_best
 * is positive, only logits at least as large as a row's num_best-th largest are
 * wanted: any others may be -inf; 0 asks for all. `logits` overlaps nothing
 * else, and holds anything meanwhile, and after a failure. Requires
 * past + count <= context, 0 <= num_logits <= count, and ids in [0, vocab).
 * caches[i] is the zero-initialised buffer of `caches[i].bytes`. */
typedef void (*TernStepFn)(const TernHost *host, const int64_t *tokens,
                           int64_t count, int64_t past, void *const *caches,
                           int64_t num_logits, int64_t num_best, float *logits);

/* How a language model's state travels between calls. */
enum TernCacheKind {
  TERN_CACHE_NONE = 0,     /* no cache: `run` recomputes the whole sequence */
  TERN_CACHE_RETURNED = 1, /* past_* inputs, present_* outputs of `run` */
  TERN_CACHE_IN_PLACE = 2  /* buffers that `step` appends to */
};

typedef struct TernCacheSpec {
  int32_t past;    /* index of the input it enters by, -1 if none */
  int32_t present; /* index of the output it leaves by, -1 if none */
  int32_t axis;    /* dimension of that input that counts positions */
  int32_t dtype;
  int64_t bytes; /* of the whole buffer at `context` positions (in place) */
} TernCacheSpec;

/* Present when the graph maps token ids to logits. */
typedef struct TernLanguageModel {
  int64_t vocab;   /* ids the model knows: last dimension of the logits */
  int64_t context; /* most positions a sequence may have */
  int32_t cache_kind;
  int32_t num_caches;
  const TernCacheSpec *caches;
  /* Roles of the graph's inputs and outputs; -1: absent. */
  int32_t input_ids;      /* i64 [batch, sequence] */
  int32_t attention_mask; /* i64 [batch, past + sequence], ones */
  int32_t position_ids;   /* i64 [batch, sequence] */
  int32_t logits;         /* float [batch, sequence, vocab] */
} TernLanguageModel;

/* A constant of which a call reads few rows, with TernHost.fetch: an embedding,
 * or a head's rows where only the best logits are wanted (a step that wants all
 * reads all of it). */
typedef struct TernFetched {
  const void *const *data; /* where the table of weights holds its address */
  int64_t bytes;
} TernFetched;

/* CPU features that a variant may need: bits of TernVariant.features. */
enum TernFeature {
  TERN_FEATURE_AVX2 = 1 << 0, /* AVX2, FMA, F16C, BMI1/2: x86-64-v3 */
  TERN_FEATURE_AVXVNNI = 1 << 1,
  TERN_FEATURE_AVX512 = 1 << 2, /* F, BW, CD, DQ, VL: x86-64-v4 */
  TERN_FEATURE_AVX512VNNI = 1 << 3,
  TERN_FEATURE_AVX512VBMI = 1 << 4,
  TERN_FEATURE_AMX = 1 << 5 /* AMX-TILE and AMX-INT8, permitted by the
                                system, and GFNI */
};

/* A loop that generated code hands to parallel_for, for whoever measures it. */
typedef struct TernKernel {
  void (*body)(void *context, int64_t begin, int64_t end);
  const char *name; /* the nodes that it computes, numbers of layers as '*' */
  /* What is known of one loop: the bytes of constants that it reads, and its
   * products of a weight and an activation, of which a loop has
   * macs + macs_per_token * count. 0: none, or unknown. */
  int64_t bytes;
  int64_t macs;
  int64_t macs_per_token;
} TernKernel;

/* The model's code for one level of CPU. */
typedef struct TernVariant {
  const char *name;  /* "amx", "avx512vbmi", "avx512vnni", "avxvnni", "avx2",
                        "generic", "portable" */
  uint64_t features; /* all of them must be there */
  TernRunFn run;
  TernStepFn step; /* null unless the cache is in place */
  /* The loops of step, or of run where there is no step; the last has a null
   * body. */
  const TernKernel *kernels;
} TernVariant;

typedef struct TernModel {
  uint32_t abi_version;
  int32_t num_inputs;
  int32_t num_outputs;
  int32_t num_variants; /* best first; the last needs the least */
  const char *name;     /* of the ONNX graph */
  const char *producer; /* "ternc 0.1.0" */
  const TernTensorSpec *inputs;
  const TernTensorSpec *outputs;
  const TernVariant *variants;
  const TernLanguageModel *language_model; /* null: any other graph */
  const TernFetched *fetched;
  int64_t num_fetched;
  const char *tokenizer; /* the bytes of tokenizer.json, or null */
  int64_t tokenizer_size;
  const char *details; /* JSON object, or null: "architecture" (a name),
                          "bos_token_id": 0, "eos_token_ids": [1], where known;
                          "head" (how step reads it, in words) */
} TernModel;

/* Emitted by ternc into every executable and library. */
extern const TernModel tern_model;

/*===-- For programs that link a model built with --emit=lib --------------===*
 * Functions return 0, or a TernStatus and leave a message for
 * tern_last_error(). One TernSession is used by one thread at a time. */

enum TernStatus {
  TERN_OK = 0,
  TERN_ERROR_INPUT = 1,   /* an argument is at fault; see the message */
  TERN_ERROR_MEMORY = 2,  /* or threads: the system has no more */
  TERN_ERROR_INTERNAL = 3 /* our bug */
};

typedef struct TernSession TernSession;

/* threads: 0 means one for every core. */
int tern_open(int threads, TernSession **session);
void tern_close(TernSession *session);

/* The message of the last error on this thread; "" if there was none. */
const char *tern_last_error(void);

/* The model itself: names, shapes, dtypes. */
const TernModel *tern_get_model(void);

/* Runs the graph on `inputs`, in the order of the model's inputs. Fills
 * `outputs`; free each with tern_free. */
int tern_run(TernSession *session, const TernTensor *inputs,
             TernTensor *outputs);
void tern_free(void *data);

typedef struct TernSampling {
  double temperature;        /* 0: greedy */
  int32_t top_k;             /* 0: off */
  double top_p;              /* 1: off */
  double repetition_penalty; /* 1: off */
  uint64_t seed;
} TernSampling;

/* Called with each piece of text as it is produced: `size` bytes of valid
 * UTF-8. Return nonzero to stop. */
typedef int (*TernTextFn)(void *context, const char *text, size_t size);

/* Continues `prompt` (UTF-8) by up to max_tokens tokens. A null `sampling` is
 * greedy. */
int tern_generate(TernSession *session, const char *prompt, size_t prompt_size,
                  int64_t max_tokens, const TernSampling *sampling,
                  TernTextFn emit, void *context);

#ifdef __cplusplus
}
#endif

#endif /* TERN_RUNTIME_MODELABI_H */
