//===- CheckAllocations.cpp - fail where memory does not suffice ----------===//

#include "BufferBytes.h"

#include "tern/Transforms/NodeLocation.h"
#include "tern/Transforms/Passes.h"

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tern {
#define GEN_PASS_DEF_CHECKALLOCATIONS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

namespace {
/// Checks one allocation.
class AllocationCheck {
public:
  explicit AllocationCheck(memref::AllocOp alloc)
      : b(alloc.getLoc(), alloc), alloc(alloc), type(alloc.getType()) {
    b.setInsertionPointAfter(alloc);
  }

  void insert() {
    Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, alloc);
    Value isThere = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, address,
                                          constant(0));
    std::optional<int64_t> bytes = tern::getStaticBytes(type);
    if (!bytes)
      return createAssert(isThere, "room for ");
    if (*bytes == tern::kTooManyBytes)
      return createAssert(arith::ConstantIntOp::create(b, 0, 1), kTooMany);
    Value product = constant(*bytes);
    if (Value fits = multiplySizes(product))
      createAssert(fits, kTooMany);
    createAssert(isThere, " bytes for ", product);
  }

private:
  static constexpr const char *kTooMany = "2^63 or more bytes for ";

  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }

  /// Multiplies `product` with the dynamic sizes. Returns an i1 that holds
  /// where it fits a signed index, as no larger buffer can be had, and the
  /// wrapped size would be too small; null where there are none.
  Value multiplySizes(Value &product) {
    Value fits, zero = constant(0);
    for (Value size : alloc.getDynamicSizes()) {
      auto multiply = arith::MulUIExtendedOp::create(b, product, size);
      product = multiply.getLow();
      Value isLow = arith::CmpIOp::create(b, arith::CmpIPredicate::eq,
                                          multiply.getHigh(), zero);
      Value isSigned =
          arith::CmpIOp::create(b, arith::CmpIPredicate::sge, product, zero);
      for (Value condition : {isLow, isSigned})
        fits = fits ? arith::AndIOp::create(b, fits, condition) : condition;
    }
    return fits;
  }

  /// Asserts `condition`. The message states node, `bytes` if there are any,
  /// `amount` and shape.
  void createAssert(Value condition, StringRef amount, Value bytes = {}) {
    SmallVector<std::string> texts(1);
    SmallVector<Value> values;
    auto state = [&](Value value) {
      // What is known now needs no value.
      if (std::optional<int64_t> known = getConstantIntValue(value)) {
        texts.back() += std::to_string(*known);
        return;
      }
      values.push_back(value);
      texts.emplace_back();
    };
    if (StringRef name = tern::getNodeName(alloc.getLoc()); !name.empty())
      texts.back() += ("node '" + name + "': ").str();
    texts.back() += "not enough memory: ";
    if (bytes)
      state(bytes);
    texts.back() += (amount + describe(type.getElementType()) + "[").str();
    auto sizes = alloc.getDynamicSizes().begin();
    for (auto [index, dim] : llvm::enumerate(type.getShape())) {
      texts.back() += index ? ", " : "";
      if (ShapedType::isDynamic(dim))
        state(*sizes++);
      else
        texts.back() += std::to_string(dim);
    }
    texts.back() += "]";
    tern::ternary::AssertOp::create(
        b, condition,
        b.getStrArrayAttr(SmallVector<StringRef>(texts.begin(), texts.end())),
        values);
  }

  static std::string describe(Type element) {
    std::string text;
    llvm::raw_string_ostream(text) << element;
    return text;
  }

  ImplicitLocOpBuilder b;
  memref::AllocOp alloc;
  MemRefType type;
};

struct CheckAllocationsPass
    : tern::impl::CheckAllocationsBase<CheckAllocationsPass> {
  using Base::Base;

  void runOnOperation() override {
    getOperation().walk(
        [](memref::AllocOp alloc) { AllocationCheck(alloc).insert(); });
  }
};
} // namespace
