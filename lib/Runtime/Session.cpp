//===- Session.cpp - calls a compiled model -------------------------------===//

#include "tern/Runtime/Session.h"

#include "tern/Runtime/CpuFeatures.h"
#include "tern/Runtime/Error.h"
#include "tern/Runtime/HugePages.h"
#include "tern/Runtime/Profile.h"
#include "tern/Runtime/Stopwatch.h"

#include <atomic>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <stdexcept>
#include <utility>

using namespace tern::runtime;

namespace {

/// What TernHost.self points to during one call.
struct CallFrame {
  ThreadTeam *team;
  Profile *profile; // null: nothing is timed
  const std::vector<ColdPages> *fetched;
  BufferPool *buffers;
  std::atomic<bool> failed{false};
  char message[512]; // of the first failure
};

/// Where `fail` jumps back to: generated code has no unwind tables to throw
/// through. What the code had from malloc by then is lost.
struct ReturnPoint {
  ReturnPoint *outer;
  std::jmp_buf registers;
};

/// Of the call or loop that this thread is in.
thread_local ReturnPoint *innermost = nullptr;

/// Returns false if `code` failed. Nothing between here and there has a
/// destructor: a jump past one would be undefined.
template <typename Code>
bool runGuarded(const Code &code) {
  ReturnPoint point;
  point.outer = innermost;
  if (setjmp(point.registers)) {
    innermost = point.outer;
    return false;
  }
  innermost = &point;
  code();
  innermost = point.outer;
  return true;
}

[[noreturn]] void hostFail(void *self, const char *message) {
  CallFrame *frame = static_cast<CallFrame *>(self);
  if (!frame->failed.exchange(true))
    std::snprintf(frame->message, sizeof(frame->message), "%s", message);
  std::longjmp(innermost->registers, 1);
}

struct Loop {
  CallFrame *frame;
  ThreadTeam::Body body;
  void *context;
};

/// A failure on any thread ends the range there; the team has to be left in
/// order before the jump out of the loop.
void runRange(void *context, int64_t begin, int64_t end) {
  const Loop &loop = *static_cast<Loop *>(context);
  if (!loop.frame->failed.load(std::memory_order_relaxed))
    runGuarded([&] { loop.body(loop.context, begin, end); });
}

void hostParallelFor(void *self, int64_t count, ThreadTeam::Body body,
                     void *context) {
  CallFrame *frame = static_cast<CallFrame *>(self);
  Loop loop = {frame, body, context};
  frame->team->parallelFor(count, runRange, &loop);
  if (frame->failed.load(std::memory_order_relaxed))
    std::longjmp(innermost->registers, 1);
}

/// The same, timed. Outermost loops only come here, from the calling thread.
void timedParallelFor(void *self, int64_t count, ThreadTeam::Body body,
                      void *context) {
  CallFrame *frame = static_cast<CallFrame *>(self);
  Stopwatch time;
  hostParallelFor(self, count, body, context);
  frame->profile->addLoop(body, time.seconds());
}

void hostFetch(void *self, const void *constant, void *target, int64_t bytes) {
  size_t size = static_cast<size_t>(bytes);
  for (const ColdPages &pages : *static_cast<CallFrame *>(self)->fetched)
    if (pages.holds(constant, size))
      return pages.read(constant, target, size);
  std::memcpy(target, constant, size);
}

void *hostAllocate(void *self, int64_t bytes) {
  return static_cast<CallFrame *>(self)->buffers->allocate(
      static_cast<size_t>(bytes));
}

void hostRelease(void *self, void *address, int64_t bytes) {
  static_cast<CallFrame *>(self)->buffers->release(address,
                                                   static_cast<size_t>(bytes));
}

void hostTrim(void *self) { static_cast<CallFrame *>(self)->buffers->trim(); }

void hostAnnounce(void *self, const void *constant, int64_t bytes,
                  int64_t streams) {
  static_cast<CallFrame *>(self)->team->announce({constant, bytes, streams});
}

TernHost makeHost(CallFrame &frame) {
  return {&frame,       frame.profile ? timedParallelFor : hostParallelFor,
          hostFail,     hostFetch,
          hostAllocate, hostRelease,
          hostTrim,     hostAnnounce};
}

// These return false if the model called `fail`.

bool callRun(TernRunFn run, CallFrame &frame, const TernTensor *inputs,
             TernTensor *outputs) {
  TernHost host = makeHost(frame);
  return runGuarded([&] { run(&host, inputs, outputs); });
}

struct StepArguments {
  const int64_t *tokens;
  int64_t count, past;
  void *const *caches;
  int64_t numLogits, numBest;
  float *logits;
};

bool callStep(TernStepFn step, CallFrame &frame, const StepArguments &args) {
  TernHost host = makeHost(frame);
  return runGuarded([&] {
    step(&host, args.tokens, args.count, args.past, args.caches, args.numLogits,
         args.numBest, args.logits);
  });
}

/// Sizes that symbolic dimensions have taken, and the input that fixed each.
using SymbolSizes = std::map<std::string, std::pair<int64_t, const char *>>;

void checkSymbols(const TernTensorSpec &spec, const TernTensor &input,
                  SymbolSizes &sizes) {
  for (int32_t i = 0; i < spec.rank; ++i) {
    if (spec.dims[i] >= 0 || !spec.symbols[i])
      continue;
    auto [it, isNew] = sizes.try_emplace(
        spec.symbols[i], std::make_pair(input.dims[i], spec.name));
    if (!isNew && it->second.first != input.dims[i])
      throw InputError(std::string("input '") + spec.name + "': dimension '" +
                       spec.symbols[i] + "' is " +
                       std::to_string(input.dims[i]) + ", but input '" +
                       it->second.second + "' made it " +
                       std::to_string(it->second.first));
  }
}

bool matches(const TernTensorSpec &spec, const TernTensor &input) {
  if (!input.data || input.dtype != spec.dtype || input.rank != spec.rank)
    return false;
  for (int32_t i = 0; i < spec.rank; ++i)
    if (input.dims[i] < 0 ||
        (spec.dims[i] >= 0 && spec.dims[i] != input.dims[i]))
      return false;
  return true;
}

/// Prepares the memory of the weights, and returns how many bytes it copied.
size_t prepareWeights(const TernModel &model, WeightsMemory weights) {
  std::vector<WeightSpan> apart = getFetched(model);
  if (weights == WeightsMemory::Copy)
    return copyWeights(&model, apart);
  useHugePages(&model, apart);
  return 0;
}

std::vector<ColdPages> makeFetched(const TernModel &model) {
  std::vector<ColdPages> fetched;
  for (WeightSpan span : getFetched(model))
    fetched.emplace_back(span.data, span.bytes);
  return fetched;
}

/// How many tokens a call of `run` reads: ids, if it takes any.
int64_t countTokens(const TernModel &model,
                    const std::vector<TernTensor> &inputs) {
  int64_t count = 1;
  if (model.language_model && model.language_model->input_ids >= 0) {
    const TernTensor &ids =
        inputs[static_cast<size_t>(model.language_model->input_ids)];
    for (int32_t i = 0; i < ids.rank; ++i)
      count *= ids.dims[i];
  }
  return count;
}

const TernModel &checkAbi(const TernModel &model) {
  if (model.abi_version != TERN_ABI_VERSION)
    throw InputError(
        "the model has ABI version " + std::to_string(model.abi_version) +
        "; this runtime expects " + std::to_string(TERN_ABI_VERSION));
  return model;
}

} // namespace

std::vector<WeightSpan> tern::runtime::getFetched(const TernModel &model) {
  std::vector<WeightSpan> fetched;
  for (int64_t i = 0; i < model.num_fetched; ++i)
    fetched.push_back(
        {*model.fetched[i].data, static_cast<size_t>(model.fetched[i].bytes)});
  return fetched;
}

void tern::runtime::checkInputs(const TernModel &model,
                                const std::vector<TernTensor> &inputs) {
  if (static_cast<int64_t>(inputs.size()) != model.num_inputs)
    throw InputError("the model takes " + std::to_string(model.num_inputs) +
                     " inputs, found " + std::to_string(inputs.size()));
  SymbolSizes sizes;
  for (int32_t i = 0; i < model.num_inputs; ++i) {
    const TernTensorSpec &spec = model.inputs[i];
    if (!matches(spec, inputs[i]))
      throw InputError(std::string("input '") + spec.name + "': expected " +
                       describeSpec(spec) + ", found " +
                       describeTensor(inputs[i]));
    checkSymbols(spec, inputs[i], sizes);
  }
}

Session::Session(const TernModel &model, int numThreads, WeightsMemory weights)
    : model(checkAbi(model)), variant(selectVariantForThisCpu(model)),
      copiedBytes(prepareWeights(model, weights)), fetched(makeFetched(model)),
      team(numThreads) {}

std::vector<Tensor> Session::run(const std::vector<TernTensor> &inputs) {
  checkInputs(model, inputs);
  std::vector<TernTensor> raw(static_cast<size_t>(model.num_outputs));
  for (size_t i = 0; i < raw.size(); ++i) {
    raw[i].rank = model.outputs[i].rank;
    raw[i].dtype = model.outputs[i].dtype;
  }
  CallFrame frame;
  frame.team = &team;
  frame.profile = profile;
  frame.fetched = &fetched;
  frame.buffers = &buffers;
  Stopwatch time;
  bool succeeded = callRun(variant.run, frame, inputs.data(), raw.data());
  buffers.endCall();
  if (profile && succeeded)
    profile->addCall(countTokens(model, inputs), time.seconds());
  else if (profile)
    profile->dropLoops();
  std::vector<Tensor> outputs;
  for (const TernTensor &tensor : raw)
    outputs.push_back(Tensor::adopt(tensor));
  if (!succeeded)
    throw InputError(frame.message);
  return outputs;
}

void Session::step(const int64_t *tokens, int64_t count, int64_t past,
                   void *const *caches, int64_t numLogits, int64_t numBest,
                   float *logits) {
  CallFrame frame;
  frame.team = &team;
  frame.profile = profile;
  frame.fetched = &fetched;
  frame.buffers = &buffers;
  StepArguments args = {tokens,    count,   past,  caches,
                        numLogits, numBest, logits};
  Stopwatch time;
  bool succeeded = callStep(variant.step, frame, args);
  buffers.endCall();
  double seconds = time.seconds();
  // Pages that were read as memory all the same, as only the code knows: of a
  // head whose screen does not tell rows apart, all. Where there are none this
  // takes less than a microsecond. Where all logits are wanted, all rows of the
  // head are read, as they will be next time.
  if (numBest > 0)
    for (ColdPages &pages : fetched)
      pages.drop();
  if (!succeeded) {
    if (profile)
      profile->dropLoops();
    throw InputError(frame.message);
  }
  if (profile)
    profile->addCall(count, seconds);
}
