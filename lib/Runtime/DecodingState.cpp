//===- DecodingState.cpp - a sequence that a language model reads ---------===//

#include "tern/Runtime/DecodingState.h"

#include "tern/Runtime/Error.h"

#include <algorithm>
#include <numeric>
#include <string>

#include <sys/mman.h>

using namespace tern::runtime;

namespace {

//===----------------------------------------------------------------------===//
// In place: `step` appends to buffers that live as long as the state.
//===----------------------------------------------------------------------===//

/// Zero pages straight from the system: a cache for a long context costs memory
/// only as far as it is filled.
class ZeroedBuffer {
public:
  explicit ZeroedBuffer(int64_t bytes)
      : size(static_cast<size_t>(std::max<int64_t>(bytes, 1))),
        address(mmap(nullptr, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    if (address == MAP_FAILED)
      throw MemoryError(size, "a cache of keys or values");
  }
  ZeroedBuffer(const ZeroedBuffer &) = delete;
  ZeroedBuffer &operator=(const ZeroedBuffer &) = delete;
  ~ZeroedBuffer() { munmap(address, size); }

  void *get() const { return address; }

private:
  size_t size;
  void *address;
};

class InPlaceState final : public DecodingState {
public:
  explicit InPlaceState(Session &session) : DecodingState(session) {
    for (int32_t i = 0; i < model.num_caches; ++i) {
      buffers.push_back(std::make_unique<ZeroedBuffer>(model.caches[i].bytes));
      addresses.push_back(buffers.back()->get());
    }
  }

private:
  void feedChunk(const int64_t *tokens, int64_t count, int64_t numLogits,
                 int64_t numBest, float *logits) override {
    session.step(tokens, count, size(), addresses.data(), numLogits, numBest,
                 logits);
  }

  bool leavesOutLogits() const override { return true; }

  // Positions at and after size() are never read before they are written.
  void clearCaches() override {}

  std::vector<std::unique_ptr<ZeroedBuffer>> buffers;
  std::vector<void *> addresses;
};

//===----------------------------------------------------------------------===//
// Through `run`: the graph sees ids, a mask and positions.
//===----------------------------------------------------------------------===//

/// Fills the inputs that have a role and reads the logits.
class GraphState : public DecodingState {
protected:
  explicit GraphState(Session &session) : DecodingState(session) {
    checkRoles();
  }

  /// Runs the graph on `count` tokens after `past` and writes the logits of the
  /// last `numLogits`. Inputs without a role in [ids, mask, positions] come
  /// from `caches`, by the index of their input.
  std::vector<Tensor> runGraph(const int64_t *tokens, int64_t count,
                               int64_t past, int64_t numLogits, float *logits,
                               const std::vector<Tensor> &caches) {
    Tensor ids(TERN_I64, {1, count});
    std::copy(tokens, tokens + count, ids.data<int64_t>());
    Tensor mask(TERN_I64, {1, past + count});
    std::fill_n(mask.data<int64_t>(), past + count, 1);
    Tensor positions(TERN_I64, {1, count});
    std::iota(positions.data<int64_t>(), positions.data<int64_t>() + count,
              past);

    std::vector<TernTensor> inputs(
        static_cast<size_t>(session.getModel().num_inputs));
    auto bind = [&](int32_t index, const Tensor &tensor) {
      if (index >= 0)
        inputs[static_cast<size_t>(index)] = tensor.raw();
    };
    bind(model.input_ids, ids);
    bind(model.attention_mask, mask);
    bind(model.position_ids, positions);
    for (size_t i = 0; i < caches.size(); ++i)
      bind(model.caches[i].past, caches[i]);

    std::vector<Tensor> outputs = session.run(inputs);
    readLogits(outputs[static_cast<size_t>(model.logits)], numLogits, logits);
    return outputs;
  }

private:
  void readLogits(const Tensor &tensor, int64_t numLogits, float *logits) {
    std::vector<int64_t> dims = tensor.dims();
    if (dims.size() != 3 || dims[1] < numLogits || dims[2] != vocab())
      throw InputError("the model returned logits of shape " +
                       describeTensor(tensor.raw()) +
                       "; expected [1, at least " + std::to_string(numLogits) +
                       ", " + std::to_string(vocab()) + "]");
    // Nowhere to copy none to.
    if (numLogits > 0)
      copyAsFloat(tensor, (dims[1] - numLogits) * vocab(), numLogits * vocab(),
                  logits);
  }

  /// An input that nobody fills would reach the model as a null pointer.
  void checkRoles() const {
    std::vector<int32_t> filled = {model.input_ids, model.attention_mask,
                                   model.position_ids};
    for (int32_t i = 0; i < model.num_caches; ++i)
      filled.push_back(model.caches[i].past);
    const TernModel &graph = session.getModel();
    for (int32_t i = 0; i < graph.num_inputs; ++i)
      if (std::find(filled.begin(), filled.end(), i) == filled.end())
        throw InputError(std::string("input '") + graph.inputs[i].name +
                         "' has no role in generating text; run the model "
                         "with --inputs and --outputs");
  }
};

/// Every output present_i enters the next call as past_i.
class ReturnedCacheState final : public GraphState {
public:
  explicit ReturnedCacheState(Session &session) : GraphState(session) {
    clearCaches();
  }

private:
  void feedChunk(const int64_t *tokens, int64_t count, int64_t numLogits,
                 int64_t /*numBest*/, float *logits) override {
    std::vector<Tensor> outputs =
        runGraph(tokens, count, size(), numLogits, logits, caches);
    for (size_t i = 0; i < caches.size(); ++i)
      caches[i] =
          std::move(outputs[static_cast<size_t>(model.caches[i].present)]);
  }

  void clearCaches() override {
    caches.clear();
    for (int32_t i = 0; i < model.num_caches; ++i)
      caches.push_back(makeEmptyPast(model.caches[i]));
  }

  /// One sequence without positions.
  Tensor makeEmptyPast(const TernCacheSpec &cache) const {
    const TernTensorSpec &spec = session.getModel().inputs[cache.past];
    std::vector<int64_t> dims(spec.dims, spec.dims + spec.rank);
    for (int64_t &dim : dims)
      dim = dim < 0 ? 1 : dim;
    dims[static_cast<size_t>(cache.axis)] = 0;
    return Tensor(spec.dtype, dims);
  }

  std::vector<Tensor> caches;
};

/// The graph has no memory: every call recomputes the whole sequence.
class RecomputedState final : public GraphState {
public:
  explicit RecomputedState(Session &session) : GraphState(session) {}

private:
  void feedChunk(const int64_t *tokens, int64_t count, int64_t numLogits,
                 int64_t /*numBest*/, float *logits) override {
    sequence.resize(static_cast<size_t>(size()));
    sequence.insert(sequence.end(), tokens, tokens + count);
    runGraph(sequence.data(), static_cast<int64_t>(sequence.size()), 0,
             numLogits, logits, {});
  }

  void clearCaches() override { sequence.clear(); }

  std::vector<int64_t> sequence;
};

const TernLanguageModel &getLanguageModel(const TernModel &model) {
  if (!model.language_model)
    throw InputError(std::string("'") + model.name +
                     "' is not a language model; run it with --inputs and "
                     "--outputs");
  return *model.language_model;
}

} // namespace

DecodingState::DecodingState(Session &session)
    : session(session), model(getLanguageModel(session.getModel())) {}

std::unique_ptr<DecodingState> DecodingState::create(Session &session) {
  switch (getLanguageModel(session.getModel()).cache_kind) {
  case TERN_CACHE_IN_PLACE:
    return std::make_unique<InPlaceState>(session);
  case TERN_CACHE_RETURNED:
    return std::make_unique<ReturnedCacheState>(session);
  default:
    return std::make_unique<RecomputedState>(session);
  }
}

void DecodingState::reset() {
  length = 0;
  clearCaches();
}

void DecodingState::checkTokens(const std::vector<int64_t> &tokens,
                                int64_t numLogits) const {
  int64_t count = static_cast<int64_t>(tokens.size());
  if (count == 0)
    throw InputError("there are no tokens to read");
  if (numLogits < 0 || numLogits > count)
    throw InputError("cannot return " + std::to_string(numLogits) +
                     " rows of logits for " + std::to_string(count) +
                     " tokens");
  if (count > context() - size())
    throw InputError("a sequence of " + std::to_string(size() + count) +
                     " tokens exceeds the model's context of " +
                     std::to_string(context()));
  for (int64_t token : tokens)
    if (token < 0 || token >= vocab())
      throw InputError("token id " + std::to_string(token) +
                       " is outside the model's vocabulary of " +
                       std::to_string(vocab()));
}

std::vector<float> DecodingState::feed(const std::vector<int64_t> &tokens,
                                       int64_t numLogits, int64_t numBest) {
  checkTokens(tokens, numLogits);
  int64_t count = static_cast<int64_t>(tokens.size());
  std::vector<float> logits(static_cast<size_t>(numLogits * vocab()));
  for (int64_t begin = 0; begin < count; begin += kMaxChunk) {
    int64_t end = std::min(count, begin + kMaxChunk);
    // Those before the wanted rows write none.
    int64_t firstWanted = std::clamp(count - numLogits, begin, end);
    int64_t row = std::max<int64_t>(0, firstWanted - (count - numLogits));
    feedChunk(&tokens[static_cast<size_t>(begin)], end - begin,
              end - firstWanted, numBest, logits.data() + row * vocab());
    length += end - begin;
  }
  lastToken = tokens.back();
  return logits;
}

// Its keys and values are written again where they were.
std::vector<float> DecodingState::recall(int64_t numBest) {
  --length;
  return feed({lastToken}, /*numLogits=*/1, numBest);
}
