//===- FakeModel.cpp - models whose answers are known ---------------------===//

#include "FakeModel.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <utility>

using namespace tern::test;

int64_t tern::test::predictNext(const std::vector<int64_t> &tokens) {
  int64_t sum = 1;
  for (size_t i = 0; i < tokens.size(); ++i)
    sum += (static_cast<int64_t>(i) + 1) * tokens[i];
  return sum % kVocab;
}

double tern::test::computeLogit(int64_t best, int64_t token) {
  return -static_cast<double>((token - best + kVocab) % kVocab);
}

namespace {

void writeLogits(const std::vector<int64_t> &sequence, float *logits) {
  int64_t best = predictNext(sequence);
  for (int64_t token = 0; token < kVocab; ++token)
    logits[token] = static_cast<float>(computeLogit(best, token));
}

TernTensor allocate(int32_t dtype, std::vector<int64_t> dims, size_t size) {
  TernTensor tensor = {};
  tensor.dtype = dtype;
  tensor.rank = static_cast<int32_t>(dims.size());
  for (size_t i = 0; i < dims.size(); ++i) {
    tensor.dims[i] = dims[i];
    size *= static_cast<size_t>(dims[i]);
  }
  tensor.data = std::calloc(size + 1, 1);
  return tensor;
}

//===----------------------------------------------------------------------===//
// The language model: its cache holds the tokens.
//===----------------------------------------------------------------------===//

/// Of the calls of `step` since they were last taken.
std::vector<int64_t> wantedRows;

void step(const TernHost *, const int64_t *tokens, int64_t count, int64_t past,
          void *const *caches, int64_t numLogits, int64_t numBest,
          float *logits) {
  wantedRows.push_back(numLogits);
  int64_t *cache = static_cast<int64_t *>(caches[0]);
  std::memcpy(cache + past, tokens,
              static_cast<size_t>(count) * sizeof(int64_t));
  for (int64_t i = count - numLogits; i < count; ++i, logits += kVocab) {
    writeLogits({cache, cache + past + i + 1}, logits);
    // Gives no more than it is asked for: logits are 0, -1, -2, ...
    for (int64_t token = 0; numBest > 0 && token < kVocab; ++token)
      if (logits[token] <= static_cast<float>(-numBest))
        logits[token] = -INFINITY;
  }
}

void stepNan(const TernHost *, const int64_t *, int64_t, int64_t, void *const *,
             int64_t numLogits, int64_t, float *logits) {
  for (int64_t i = 0; i < numLogits * kVocab; ++i)
    logits[i] = NAN;
}

/// Logits of the `count` last tokens of `sequence`.
TernTensor makeLogits(const std::vector<int64_t> &sequence, int64_t count) {
  TernTensor logits = allocate(TERN_F32, {1, count, kVocab}, sizeof(float));
  int64_t past = static_cast<int64_t>(sequence.size()) - count;
  for (int64_t i = 0; i < count; ++i)
    writeLogits({sequence.begin(), sequence.begin() + past + i + 1},
                static_cast<float *>(logits.data) + i * kVocab);
  return logits;
}

void runWithoutCache(const TernHost *, const TernTensor *inputs,
                     TernTensor *outputs) {
  const int64_t *ids = static_cast<const int64_t *>(inputs[0].data);
  outputs[0] = makeLogits({ids, ids + inputs[0].dims[1]}, inputs[0].dims[1]);
}

/// Inputs: past f32 [batch, past, 1], ids, mask, positions. The mask and the
/// positions must fit, or the model complains.
void runReturningCache(const TernHost *host, const TernTensor *inputs,
                       TernTensor *outputs) {
  int64_t past = inputs[0].dims[1], count = inputs[1].dims[1];
  const float *old = static_cast<const float *>(inputs[0].data);
  const int64_t *ids = static_cast<const int64_t *>(inputs[1].data);
  const int64_t *mask = static_cast<const int64_t *>(inputs[2].data);
  const int64_t *positions = static_cast<const int64_t *>(inputs[3].data);
  if (inputs[2].dims[1] != past + count)
    host->fail(host->self, "the mask has the wrong length");
  for (int64_t i = 0; i < past + count; ++i)
    if (mask[i] != 1)
      host->fail(host->self, "the mask is not all ones");
  for (int64_t i = 0; i < count; ++i)
    if (positions[i] != past + i)
      host->fail(host->self, "the positions are wrong");
  TernTensor present = allocate(TERN_F32, {1, past + count, 1}, sizeof(float));
  float *kept = static_cast<float *>(present.data);
  for (int64_t i = 0; i < past + count; ++i)
    kept[i] = i < past ? old[i] : static_cast<float>(ids[i - past]);
  outputs[0] = makeLogits({kept, kept + past + count}, count);
  outputs[1] = present;
}

//===----------------------------------------------------------------------===//
// The graph of arrays.
//===----------------------------------------------------------------------===//

struct AddOne {
  const TernHost *host;
  int64_t count;
  const float *in;
  float *out;
};

void addOne(void *context, int64_t begin, int64_t end) {
  AddOne *arrays = static_cast<AddOne *>(context);
  for (int64_t i = begin; i < end; ++i) {
    if (arrays->count == 13 * 3 && i % 8 == 7)
      arrays->host->fail(arrays->host->self, "thirteen rows are too many");
    arrays->out[i] = arrays->in[i] + 1;
  }
}

void runTensor(const TernHost *host, const TernTensor *inputs,
               TernTensor *outputs) {
  int64_t rows = inputs[0].dims[0];
  if (rows == 7)
    host->fail(host->self, "seven rows do not broadcast");
  outputs[0] = allocate(TERN_F32, {rows, 3}, sizeof(float));
  AddOne arrays = {host, rows * 3, static_cast<const float *>(inputs[0].data),
                   static_cast<float *>(outputs[0].data)};
  host->parallel_for(host->self, rows * 3, addOne, &arrays);
  outputs[1] = allocate(TERN_BF16, {rows}, sizeof(uint16_t));
  std::memcpy(outputs[1].data, inputs[1].data,
              static_cast<size_t>(rows) * sizeof(uint16_t));
}

//===----------------------------------------------------------------------===//
// Descriptions.
//===----------------------------------------------------------------------===//

constexpr TernTensorSpec kIds = {
    "input_ids", {-1, -1}, {"batch", "sequence"}, 2, TERN_I64};
constexpr TernTensorSpec kMask = {
    "attention_mask", {-1, -1}, {"batch", "total"}, 2, TERN_I64};
constexpr TernTensorSpec kPositions = {
    "position_ids", {-1, -1}, {"batch", "sequence"}, 2, TERN_I64};
constexpr TernTensorSpec kPast = {
    "past", {-1, -1, 1}, {"batch", "past"}, 3, TERN_F32};
constexpr TernTensorSpec kPresent = {
    "present", {-1, -1, 1}, {"batch", "total"}, 3, TERN_F32};
constexpr TernTensorSpec kLogits = {
    "logits", {-1, -1, kVocab}, {"batch", "sequence"}, 3, TERN_F32};
constexpr TernTensorSpec kX = {"x", {-1, 3}, {"n"}, 2, TERN_F32};
constexpr TernTensorSpec kY = {"y", {-1}, {"n"}, 1, TERN_BF16};
constexpr TernTensorSpec kOut = {"out", {-1, 3}, {"n"}, 2, TERN_F32};
constexpr TernTensorSpec kYOut = {"y/out", {-1}, {"n"}, 1, TERN_BF16};

/// A model and everything that it points to.
class FakeModel {
public:
  FakeModel(const char *name, std::vector<TernTensorSpec> inputs,
            std::vector<TernTensorSpec> outputs, TernRunFn run, TernStepFn step)
      : inputs(std::move(inputs)), outputs(std::move(outputs)) {
    // No CPU has all of the features, so the first is never chosen.
    variants[0] = {"impossible", ~uint64_t(0), run, step, nullptr};
    variants[1] = {"portable", 0, run, step, nullptr};
    model = {TERN_ABI_VERSION,
             static_cast<int32_t>(this->inputs.size()),
             static_cast<int32_t>(this->outputs.size()),
             2,
             name,
             "fake 1.0",
             this->inputs.data(),
             this->outputs.data(),
             variants,
             nullptr,
             nullptr,
             0,
             nullptr,
             0,
             R"({"layers": 2})"};
  }
  FakeModel(const FakeModel &) = delete;

  void setLanguage(TernLanguageModel newLanguage, TernCacheSpec newCache = {}) {
    language = newLanguage;
    cache = newCache;
    language.caches = &cache;
    model.language_model = &language;
  }

  void setTokenizer(std::string json) {
    tokenizer = std::move(json);
    model.tokenizer = tokenizer.data();
    model.tokenizer_size = static_cast<int64_t>(tokenizer.size());
  }

  const TernModel &get() const { return model; }

private:
  std::vector<TernTensorSpec> inputs, outputs;
  TernVariant variants[2];
  TernLanguageModel language;
  TernCacheSpec cache;
  std::string tokenizer;
  TernModel model;
};

constexpr TernCacheSpec kInPlaceCache = {
    -1, -1, 0, TERN_I64, kContext *static_cast<int64_t>(sizeof(int64_t))};
constexpr TernCacheSpec kReturnedCache = {0, 1, 1, TERN_F32, 0};

struct FakeModels {
  FakeModels() {
    TernLanguageModel inPlaceModel = {
        kVocab, kContext, TERN_CACHE_IN_PLACE, 1, nullptr, 0, -1, -1, 0};
    for (FakeModel *model : {&inPlace, &bare, &nan})
      model->setLanguage(inPlaceModel, kInPlaceCache);
    returned.setLanguage(
        {kVocab, kContext, TERN_CACHE_RETURNED, 1, nullptr, 1, 2, 3, 0},
        kReturnedCache);
    none.setLanguage(
        {kVocab, kContext, TERN_CACHE_NONE, 0, nullptr, 0, -1, -1, 0});
    for (FakeModel *model : {&inPlace, &returned, &none, &nan})
      model->setTokenizer(makeByteTokenizer());
  }

  FakeModel inPlace{"fake", {kIds}, {kLogits}, runWithoutCache, step};
  FakeModel bare{"fake", {kIds}, {kLogits}, runWithoutCache, step};
  FakeModel nan{"fake", {kIds}, {kLogits}, runWithoutCache, stepNan};
  FakeModel none{"fake", {kIds}, {kLogits}, runWithoutCache, nullptr};
  FakeModel returned{"fake",
                     {kPast, kIds, kMask, kPositions},
                     {kLogits, kPresent},
                     runReturningCache,
                     nullptr};
  FakeModel tensor{"adder", {kX, kY}, {kOut, kYOut}, runTensor, nullptr};
};

void appendUtf8(std::string &text, int value) {
  if (value < 0x80) {
    text += static_cast<char>(value);
    return;
  }
  text += static_cast<char>(0xC0 | value >> 6);
  text += static_cast<char>(0x80 | (value & 0x3F));
}

} // namespace

std::string tern::test::makeByteTokenizer() {
  std::string vocab;
  int nextFree = 256;
  for (int byte = 0; byte < 256; ++byte) {
    bool isPrintable =
        (byte > 0x20 && byte < 0x7F) || (byte > 0xA0 && byte != 0xAD);
    std::string name;
    if (byte == '"' || byte == '\\')
      name = '\\';
    appendUtf8(name, isPrintable ? byte : nextFree++);
    vocab += (byte ? ",\"" : "\"") + name + "\":" + std::to_string(byte);
  }
  auto addToken = [](int id, const char *content) {
    return "{\"id\":" + std::to_string(id) + ",\"content\":\"" + content +
           "\",\"special\":true,\"normalized\":false}";
  };
  return "{\"added_tokens\":[" + addToken(256, "<s>") + "," +
         addToken(257, "</s>") + "," + addToken(258, "<pad>") +
         "],\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":"
         "false},\"post_processor\":{\"type\":\"TemplateProcessing\","
         "\"single\":[{\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":0}},"
         "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"special_tokens\":"
         "{\"<s>\":{\"ids\":[256]}}},\"decoder\":{\"type\":\"ByteLevel\"},"
         "\"model\":{\"type\":\"BPE\",\"vocab\":{" +
         vocab + "},\"merges\":[]}}";
}

std::vector<int64_t> tern::test::takeWantedRows() {
  return std::exchange(wantedRows, {});
}

const TernModel *tern::test::findFakeModel(std::string_view kind) {
  static const FakeModels models;
  if (kind == "in-place")
    return &models.inPlace.get();
  if (kind == "bare")
    return &models.bare.get();
  if (kind == "nan")
    return &models.nan.get();
  if (kind == "returned")
    return &models.returned.get();
  if (kind == "none")
    return &models.none.get();
  if (kind == "tensor")
    return &models.tensor.get();
  return nullptr;
}
