//===- ModelSpecBuilder.cpp - what the runtime is told of a model ---------===//

#include "tern/Driver/ModelSpecBuilder.h"

#include "tern/Dialect/Onnx/Analysis/LanguageModel.h"
#include "tern/Runtime/ModelABI.h"
#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace tern;

/// The TernDType of an ONNX element type, or nullopt.
static std::optional<int32_t> getDType(Type type) {
  if (type.isF32())
    return TERN_F32;
  if (type.isF16())
    return TERN_F16;
  if (type.isBF16())
    return TERN_BF16;
  if (type.isF64())
    return TERN_F64;
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return std::nullopt;
  bool isUnsigned = integer.isUnsigned();
  switch (integer.getWidth()) {
  case 1:
    return TERN_BOOL;
  case 8:
    return isUnsigned ? TERN_U8 : TERN_I8;
  case 16:
    return isUnsigned ? TERN_U16 : TERN_I16;
  case 32:
    return isUnsigned ? TERN_U32 : TERN_I32;
  case 64:
    return isUnsigned ? TERN_U64 : TERN_I64;
  default:
    return std::nullopt;
  }
}

/// The spec of one argument or result; `what` is "input" or "output".
static FailureOr<TensorSpec> readTensor(func::FuncOp graph, Type type,
                                        DictionaryAttr attrs, StringRef what) {
  auto name = attrs ? attrs.getAs<StringAttr>("onnx.name") : nullptr;
  TensorSpec spec;
  spec.name = name ? name.getValue().str() : "";
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return graph.emitError() << what << " '" << spec.name << "' has type "
                             << type << "; expected a tensor of known rank";
  std::optional<int32_t> dtype = getDType(tensor.getElementType());
  if (!dtype)
    return graph.emitError()
           << what << " '" << spec.name << "' has element type "
           << tensor.getElementType()
           << "; expected a float of 16, 32 or 64 bits, an integer of 8 to 64, "
              "or bool";
  if (tensor.getRank() > TERN_MAX_RANK)
    return graph.emitError()
           << what << " '" << spec.name << "' has rank " << tensor.getRank()
           << "; expected at most " << TERN_MAX_RANK;
  spec.dtype = *dtype;
  for (int64_t dim : tensor.getShape())
    spec.dims.push_back(ShapedType::isDynamic(dim) ? -1 : dim);
  if (auto symbols = attrs ? attrs.getAs<ArrayAttr>("onnx.dims") : nullptr)
    for (Attribute symbol : symbols)
      spec.symbols.push_back(cast<StringAttr>(symbol).getValue().str());
  return spec;
}

FailureOr<ModelSpec> tern::readInterface(ModuleOp module) {
  auto graph = module.lookupSymbol<func::FuncOp>("main");
  ModelSpec spec;
  auto name = module->getAttrOfType<StringAttr>("onnx.name");
  spec.name = name ? name.getValue().str() : "";
  for (auto [index, type] : llvm::enumerate(graph.getArgumentTypes())) {
    FailureOr<TensorSpec> tensor =
        readTensor(graph, type, graph.getArgAttrDict(index), "input");
    if (failed(tensor))
      return failure();
    spec.inputs.push_back(*tensor);
  }
  for (auto [index, type] : llvm::enumerate(graph.getResultTypes())) {
    FailureOr<TensorSpec> tensor =
        readTensor(graph, type, graph.getResultAttrDict(index), "output");
    if (failed(tensor))
      return failure();
    spec.outputs.push_back(*tensor);
  }
  return spec;
}

/// The sizes of the buffers that `step` takes from its fourth argument on. A
/// graph without caches of its own has been given some.
static void addBuffers(LanguageModelSpec &spec, func::FuncOp step) {
  constexpr int32_t kPositions = 2;
  for (auto [index, type] :
       llvm::enumerate(step.getArgumentTypes().drop_front(3))) {
    auto tensor = cast<RankedTensorType>(type);
    if (index == spec.caches.size())
      spec.caches.push_back(
          {-1, -1, kPositions, *getDType(tensor.getElementType()), 0});
    CacheSpec &cache = spec.caches[index];
    cache.dtype = *getDType(tensor.getElementType());
    cache.bytes = tensor.getNumElements() * tensor.getElementTypeBitWidth() / 8;
    // A buffer of a length of its own bounds the sequence.
    spec.context = std::min(spec.context, tensor.getDimSize(cache.axis));
  }
}

void tern::addLanguageModel(ModelSpec &spec, ModuleOp imported, ModuleOp raised,
                            int64_t context) {
  auto graph = imported.lookupSymbol<func::FuncOp>("main");
  std::optional<onnx::LanguageModel> model = onnx::findLanguageModel(graph);
  auto step = raised.lookupSymbol<func::FuncOp>("step");
  if (!model || !model->unknown.empty() || (!step && !model->runsWithoutStep()))
    return;
  LanguageModelSpec result = {};
  result.vocab = model->vocab;
  // Raising knows how many positions the model's tables have.
  auto bounded = raised->getAttrOfType<IntegerAttr>("onnx.context");
  result.context =
      bounded ? bounded.getInt() : onnx::getContextLength(imported, context);
  result.inputIds = model->inputIds;
  result.attentionMask =
      model->attentionMask ? static_cast<int32_t>(*model->attentionMask) : -1;
  result.positionIds =
      model->positionIds ? static_cast<int32_t>(*model->positionIds) : -1;
  result.logits = model->logits;
  for (const onnx::KVCache &kv : model->caches)
    result.caches.push_back(
        {static_cast<int32_t>(kv.past), static_cast<int32_t>(kv.present),
         static_cast<int32_t>(kv.axis), spec.inputs[kv.past].dtype, 0});
  if (step) {
    result.cacheKind = TERN_CACHE_IN_PLACE;
    addBuffers(result, step);
  } else {
    result.cacheKind =
        result.caches.empty() ? TERN_CACHE_NONE : TERN_CACHE_RETURNED;
  }
  spec.languageModel = result;
}

void tern::addFetched(ModelSpec &spec, ModuleOp bufferized) {
  for (auto global : bufferized.getOps<memref::GlobalOp>()) {
    auto index = global->getAttrOfType<IntegerAttr>(kWeightIndexAttr);
    if (!index || !global->hasAttr(kFetchedAttr))
      continue;
    MemRefType type = global.getType();
    spec.fetched.push_back(
        {index.getInt(),
         type.getNumElements() * type.getElementTypeBitWidth() / 8});
  }
}
