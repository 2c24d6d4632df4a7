//===- EmitKernelTable.cpp - what the loops of a model compute ------------===//

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tern {
#define GEN_PASS_DEF_EMITKERNELTABLE
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

namespace {

/// Builds the table. Mirrors TernKernel of ModelABI.h: {body; name; i64 bytes,
/// macs, macs_per_token;}.
class TableBuilder {
public:
  explicit TableBuilder(ModuleOp module)
      : b(module.getLoc(), module.getContext()), module(module),
        pointer(LLVM::LLVMPointerType::get(module.getContext())),
        entry(LLVM::LLVMStructType::getLiteral(
            module.getContext(), {pointer, pointer, b.getI64Type(),
                                  b.getI64Type(), b.getI64Type()})) {}

  void build(StringRef name, ArrayRef<LLVM::LLVMFuncOp> kernels);

private:
  LLVM::GlobalOp createName(StringRef text, size_t index);
  /// The constant of one kernel, within the table's initialiser.
  Value createEntry(LLVM::LLVMFuncOp kernel, LLVM::GlobalOp name);

  ImplicitLocOpBuilder b;
  ModuleOp module;
  Type pointer;
  LLVM::LLVMStructType entry;
};

/// What tern-outline-parallel-loops said of a function, or null.
DictionaryAttr describe(LLVM::LLVMFuncOp function) {
  return function->getAttrOfType<DictionaryAttr>(tern::kKernelAttr);
}

// The address does not matter, so that the linker keeps one text for all CPU
// levels.
LLVM::GlobalOp TableBuilder::createName(StringRef text, size_t index) {
  std::string value = (text + Twine('\0')).str();
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), value.size());
  auto global = LLVM::GlobalOp::create(
      b, type, /*isConstant=*/true, LLVM::Linkage::Private,
      ("tern_kernel_name_" + Twine(index)).str(), b.getStringAttr(value));
  global.setUnnamedAddr(LLVM::UnnamedAddr::Global);
  return global;
}

Value TableBuilder::createEntry(LLVM::LLVMFuncOp kernel, LLVM::GlobalOp name) {
  DictionaryAttr description = describe(kernel);
  auto number = [&](StringRef field) -> Value {
    auto value = description.getAs<IntegerAttr>(field);
    return LLVM::ConstantOp::create(
        b, b.getI64IntegerAttr(value ? value.getInt() : 0));
  };
  const Value fields[] = {LLVM::AddressOfOp::create(b, kernel),
                          LLVM::AddressOfOp::create(b, name), number("bytes"),
                          number("macs"), number("macs_per_token")};
  Value result = LLVM::ZeroOp::create(b, entry);
  for (auto [index, field] : llvm::enumerate(fields))
    result = LLVM::InsertValueOp::create(b, result, field,
                                         static_cast<int64_t>(index));
  return result;
}

void TableBuilder::build(StringRef name, ArrayRef<LLVM::LLVMFuncOp> kernels) {
  b.setInsertionPointToEnd(module.getBody());
  SmallVector<LLVM::GlobalOp> names;
  for (LLVM::LLVMFuncOp kernel : kernels) {
    auto text = describe(kernel).getAs<StringAttr>("name");
    names.push_back(
        createName(text ? text.getValue() : kernel.getName(), names.size()));
  }
  // One more than kernels, which stays zero: the end.
  auto type = LLVM::LLVMArrayType::get(entry, kernels.size() + 1);
  auto table = LLVM::GlobalOp::create(
      b, type, /*isConstant=*/true, LLVM::Linkage::External, name, Attribute());
  b.createBlock(&table.getInitializerRegion());
  Value result = LLVM::ZeroOp::create(b, type);
  for (auto [index, kernel] : llvm::enumerate(kernels))
    result = LLVM::InsertValueOp::create(b, result,
                                         createEntry(kernel, names[index]),
                                         static_cast<int64_t>(index));
  LLVM::ReturnOp::create(b, result);
}

struct EmitKernelTablePass
    : tern::impl::EmitKernelTableBase<EmitKernelTablePass> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    // A body that is only ever called directly never meets the host, and the
    // code generator does more for it while its address is not taken.
    llvm::DenseSet<StringAttr> taken;
    module.walk([&](LLVM::AddressOfOp op) {
      taken.insert(op.getGlobalNameAttr().getAttr());
    });
    bool hasStep = module.lookupSymbol<LLVM::LLVMFuncOp>("step") != nullptr;
    SmallVector<LLVM::LLVMFuncOp> kernels;
    for (auto function : module.getOps<LLVM::LLVMFuncOp>())
      if (describe(function) && taken.contains(function.getSymNameAttr()))
        if (!hasStep || !function.getSymName().starts_with("main_"))
          kernels.push_back(function);
    TableBuilder(module).build("tern_kernels_" + variant, kernels);
    for (auto function : module.getOps<LLVM::LLVMFuncOp>())
      function->removeAttr(tern::kKernelAttr);
  }
};
} // namespace
