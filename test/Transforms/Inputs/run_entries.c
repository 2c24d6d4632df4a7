/* Runs tern_model with hosts that split loops in odd ways. The results have to
 * be the same, bit for bit, the inputs as they were, every output a block of
 * its own, and every buffer of the host's given back once and written to no
 * further than it reaches. Dynamic dimensions get the argument. */
#include "serial_host.h"

enum { kMaxTensors = 16, kModes = 4 };

typedef void (*Body)(void *context, int64_t begin, int64_t end);

struct Self {
  int mode;
  int calls;
  int lent; /* buffers that were not given back */
};

/* Ranges of 1, 2, 3, … iterations, in order or from the last to the first. */
static void growing(int64_t count, int backwards, Body body, void *context) {
  for (int64_t done = 0, size = 1; done < count; done += size, ++size) {
    int64_t part = size < count - done ? size : count - done;
    int64_t begin = backwards ? count - done - part : done;
    body(context, begin, begin + part);
  }
}

static void parallelFor(void *opaque, int64_t count, Body body, void *context) {
  struct Self *self = opaque;
  ++self->calls;
  if (self->mode == 0)
    body(context, 0, count);
  else if (self->mode == 1)
    for (int64_t i = count; i-- > 0;)
      body(context, i, i + 1);
  else
    growing(count, self->mode == 3, body, context);
}

enum { kBorder = 64 };

/* The size stands before a buffer and behind it, and contents that no other
 * mode has are in it. */
static void *lendBuffer(void *opaque, int64_t bytes) {
  struct Self *self = opaque;
  size_t room = ((size_t)bytes + 63) / 64 * 64 + 2 * kBorder;
  char *block = aligned_alloc(64, room);
  memset(block, 0x11 * (self->mode + 1), room);
  memcpy(block, &bytes, sizeof(bytes));
  memcpy(block + kBorder + bytes, &bytes, sizeof(bytes));
  ++self->lent;
  return block + kBorder;
}

static void takeBuffer(void *opaque, void *address, int64_t bytes) {
  struct Self *self = opaque;
  char *block = (char *)address - kBorder;
  if (memcmp(block, &bytes, sizeof(bytes)) ||
      memcmp(block + kBorder + bytes, &bytes, sizeof(bytes))) {
    printf("a buffer given back as of %lld bytes is of another size, or was "
           "written past its end\n",
           (long long)bytes);
    exit(1);
  }
  --self->lent;
  memset(block, 0xEE, kBorder + (size_t)bytes);
  free(block);
}

static size_t countBytes(const TernTensor *tensor) {
  size_t bytes = tensor->dtype == TERN_I64 ? 8 : 4;
  for (int32_t dim = 0; dim < tensor->rank; ++dim)
    bytes *= (size_t)tensor->dims[dim];
  return bytes;
}

static TernTensor makeInput(const TernTensorSpec *spec, int64_t dynamic) {
  TernTensor tensor = {0};
  tensor.rank = spec->rank;
  tensor.dtype = spec->dtype;
  for (int32_t dim = 0; dim < spec->rank; ++dim)
    tensor.dims[dim] = spec->dims[dim] < 0 ? dynamic : spec->dims[dim];
  size_t bytes = countBytes(&tensor);
  tensor.data = malloc(bytes + 1);
  if (spec->dtype == TERN_I64)
    for (size_t i = 0; i < bytes / 8; ++i)
      ((int64_t *)tensor.data)[i] = (int64_t)i * 3 % dynamic;
  else
    for (size_t i = 0; i < bytes / 4; ++i)
      ((float *)tensor.data)[i] = (float)(i * 7919 % 1009) / 1009 - 0.5f;
  return tensor;
}

static void *duplicate(const void *data, size_t bytes) {
  return memcpy(malloc(bytes + 1), data, bytes);
}

int main(int argc, char **argv) {
  if (argc != 2)
    return 2;
  const TernModel *model = &tern_model;
  TernTensor inputs[kMaxTensors], outputs[kModes][kMaxTensors];
  void *before[kMaxTensors];
  for (int i = 0; i < model->num_inputs; ++i) {
    inputs[i] = makeInput(&model->inputs[i], atoi(argv[1]));
    before[i] = duplicate(inputs[i].data, countBytes(&inputs[i]));
  }
  int calls = 0, different = 0, changed = 0, shared = 0, lent = 0;
  for (int mode = 0; mode < kModes; ++mode) {
    struct Self self = {mode, 0, 0};
    TernHost host = serialHost;
    host.self = &self;
    host.parallel_for = parallelFor;
    host.allocate = lendBuffer;
    host.release = takeBuffer;
    for (int i = 0; i < model->num_outputs; ++i) {
      outputs[mode][i].rank = model->outputs[i].rank;
      outputs[mode][i].dtype = model->outputs[i].dtype;
    }
    model->variants[0].run(&host, inputs, outputs[mode]);
    calls += self.calls;
    lent += self.lent != 0;
    for (int i = 0; i < model->num_outputs; ++i)
      different += memcmp(outputs[mode][i].data, outputs[0][i].data,
                          countBytes(&outputs[0][i])) != 0;
  }
  for (int i = 0; i < model->num_inputs; ++i)
    changed += memcmp(inputs[i].data, before[i], countBytes(&inputs[i])) != 0;
  for (int i = 0; i < model->num_outputs; ++i) {
    for (int j = 0; j < i; ++j)
      shared += outputs[0][i].data == outputs[0][j].data;
    for (int j = 0; j < model->num_inputs; ++j)
      shared += outputs[0][i].data == inputs[j].data;
  }
  printf("%s: loops handed out %s, outputs that differ %d, inputs that "
         "changed %d, outputs that share %d\n",
         model->name, calls ? "some" : "none", different, changed, shared);
  if (lent)
    printf("calls that kept buffers: %d\n", lent);
  if (shared || lent)
    return 1;
  for (int mode = 0; mode < kModes; ++mode)
    for (int i = 0; i < model->num_outputs; ++i)
      free(outputs[mode][i].data);
  return 0;
}
