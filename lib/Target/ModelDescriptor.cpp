//===- ModelDescriptor.cpp - the constant tern_model ----------------------===//

#include "tern/Target/ModelDescriptor.h"

#include "tern/Runtime/ModelABI.h"
#include "tern/Transforms/Passes.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/GlobalVariable.h"
#include "llvm/IR/Module.h"

using namespace llvm;
using namespace tern;

namespace {

/// Builds constants with the layout of the structs in ModelABI.h: every field
/// stands in the order of the header, and natural alignment does the rest.
class DescriptorBuilder {
public:
  explicit DescriptorBuilder(Module &module)
      : module(module), context(module.getContext()),
        pointer(PointerType::get(context, 0)) {}

  Constant *createModel(const ModelSpec &spec);

private:
  Constant *i32(int32_t value) {
    return ConstantInt::get(Type::getInt32Ty(context), value, true);
  }
  Constant *i64(int64_t value) {
    return ConstantInt::get(Type::getInt64Ty(context), value, true);
  }
  Constant *null() { return ConstantPointerNull::get(pointer); }
  Constant *structure(ArrayRef<Constant *> fields) {
    return ConstantStruct::getAnon(context, fields);
  }
  /// The address of a private constant.
  Constant *addressOf(Constant *value) {
    return new GlobalVariable(module, value->getType(), /*isConstant=*/true,
                              GlobalValue::PrivateLinkage, value);
  }
  Constant *string(StringRef text) {
    return addressOf(ConstantDataArray::getString(context, text));
  }
  /// The address of an array of structs; null if it is empty.
  Constant *array(ArrayRef<Constant *> elements);
  Constant *createTensors(ArrayRef<TensorSpec> specs);
  Constant *createVariants(const ModelSpec &spec);
  Constant *createLanguageModel(const LanguageModelSpec &spec);
  Constant *entryPoint(const Twine &name);
  Constant *createFetched(const ModelSpec &spec);
  /// The address of an entry of the table of weights.
  Constant *weightsEntry(int64_t index);
  Constant *kernelTable(const Twine &name);

  Module &module;
  LLVMContext &context;
  PointerType *pointer;
};

Constant *DescriptorBuilder::array(ArrayRef<Constant *> elements) {
  if (elements.empty())
    return null();
  auto *type = ArrayType::get(elements.front()->getType(), elements.size());
  return addressOf(ConstantArray::get(type, elements));
}

Constant *DescriptorBuilder::createTensors(ArrayRef<TensorSpec> specs) {
  SmallVector<Constant *> tensors;
  for (const TensorSpec &spec : specs) {
    SmallVector<Constant *> dims, symbols;
    for (size_t dim = 0; dim < TERN_MAX_RANK; ++dim) {
      dims.push_back(i64(dim < spec.dims.size() ? spec.dims[dim] : 0));
      bool named = dim < spec.symbols.size() && !spec.symbols[dim].empty();
      symbols.push_back(named ? string(spec.symbols[dim]) : null());
    }
    auto *dimsType = ArrayType::get(Type::getInt64Ty(context), TERN_MAX_RANK);
    auto *symbolsType = ArrayType::get(pointer, TERN_MAX_RANK);
    tensors.push_back(structure(
        {string(spec.name), ConstantArray::get(dimsType, dims),
         ConstantArray::get(symbolsType, symbols),
         i32(static_cast<int32_t>(spec.dims.size())), i32(spec.dtype)}));
  }
  return array(tensors);
}

Constant *DescriptorBuilder::entryPoint(const Twine &name) {
  auto *type = FunctionType::get(Type::getVoidTy(context), /*isVarArg=*/false);
  auto *function =
      Function::Create(type, GlobalValue::ExternalLinkage, name, module);
  function->setVisibility(GlobalValue::HiddenVisibility);
  return function;
}

Constant *DescriptorBuilder::weightsEntry(int64_t index) {
  auto *type = ArrayType::get(pointer, 0);
  Constant *table = module.getOrInsertGlobal(kWeightsTable, type);
  return ConstantExpr::getInBoundsGetElementPtr(pointer, table, i64(index));
}

Constant *DescriptorBuilder::kernelTable(const Twine &name) {
  // Of unknown length to this object.
  auto *table = new GlobalVariable(
      module, ArrayType::get(pointer, 0), /*isConstant=*/true,
      GlobalValue::ExternalLinkage, /*Initializer=*/nullptr, name);
  table->setVisibility(GlobalValue::HiddenVisibility);
  return table;
}

Constant *DescriptorBuilder::createVariants(const ModelSpec &spec) {
  bool hasStep = spec.languageModel &&
                 spec.languageModel->cacheKind == TERN_CACHE_IN_PLACE;
  SmallVector<Constant *> variants;
  for (const CPULevel &level : spec.variants)
    variants.push_back(
        structure({string(level.name), i64(level.required),
                   entryPoint("tern_run_" + level.name),
                   hasStep ? entryPoint("tern_step_" + level.name) : null(),
                   kernelTable("tern_kernels_" + level.name)}));
  return array(variants);
}

Constant *
DescriptorBuilder::createLanguageModel(const LanguageModelSpec &spec) {
  SmallVector<Constant *> caches;
  for (const CacheSpec &cache : spec.caches)
    caches.push_back(
        structure({i32(cache.past), i32(cache.present), i32(cache.axis),
                   i32(cache.dtype), i64(cache.bytes)}));
  return addressOf(
      structure({i64(spec.vocab), i64(spec.context), i32(spec.cacheKind),
                 i32(static_cast<int32_t>(spec.caches.size())), array(caches),
                 i32(spec.inputIds), i32(spec.attentionMask),
                 i32(spec.positionIds), i32(spec.logits)}));
}

Constant *DescriptorBuilder::createFetched(const ModelSpec &spec) {
  SmallVector<Constant *> fetched;
  for (const FetchedSpec &constant : spec.fetched)
    fetched.push_back(
        structure({weightsEntry(constant.index), i64(constant.bytes)}));
  return array(fetched);
}

Constant *DescriptorBuilder::createModel(const ModelSpec &spec) {
  return structure(
      {i32(TERN_ABI_VERSION), i32(static_cast<int32_t>(spec.inputs.size())),
       i32(static_cast<int32_t>(spec.outputs.size())),
       i32(static_cast<int32_t>(spec.variants.size())), string(spec.name),
       string(spec.producer), createTensors(spec.inputs),
       createTensors(spec.outputs), createVariants(spec),
       spec.languageModel ? createLanguageModel(*spec.languageModel) : null(),
       createFetched(spec), i64(static_cast<int64_t>(spec.fetched.size())),
       spec.tokenizer ? string(*spec.tokenizer) : null(),
       i64(spec.tokenizer ? spec.tokenizer->size() : 0), string(spec.details)});
}

} // namespace

std::unique_ptr<Module> tern::buildModelDescriptor(const ModelSpec &spec,
                                                   LLVMContext &context) {
  auto module = std::make_unique<Module>("tern_model", context);
  Constant *model = DescriptorBuilder(*module).createModel(spec);
  new GlobalVariable(*module, model->getType(), /*isConstant=*/true,
                     GlobalValue::ExternalLinkage, model, "tern_model");
  return module;
}
