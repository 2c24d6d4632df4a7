//===- ShapeRules.h - the shapes of operators' outputs ----------*- C++ -*-===//
#ifndef TERN_LIB_DIALECT_ONNX_ANALYSIS_SHAPERULES_H
#define TERN_LIB_DIALECT_ONNX_ANALYSIS_SHAPERULES_H

#include "tern/Dialect/Onnx/Analysis/SequenceShapes.h"
#include "tern/Dialect/Onnx/IR/Onnx.h"

#include "llvm/ADT/StringMap.h"

namespace tern::onnx {

using Sizes = llvm::SmallVector<Size, 4>;

/// More elements than this are not followed one by one.
inline constexpr int64_t kMaxElements = 64;

/// One output of a node, and what is known of its inputs.
struct ShapeQuery {
  NodeOp node;
  unsigned output;
  const SequenceShapes &shapes;

  bool has(unsigned input) { return node.getInput(input) != nullptr; }
  /// Facts of an input that is there.
  const ShapeFacts &input(unsigned index) {
    return shapes.lookup(node.getInput(index));
  }
  /// The list of integers that is attribute `name` or, from some opset on,
  /// input `index`; nullopt where it is neither, or not constant.
  std::optional<llvm::SmallVector<int64_t>> ints(llvm::StringRef name,
                                                 unsigned index);
  int64_t attr(llvm::StringRef name, int64_t fallback) {
    return node.getInt(name, fallback);
  }
};

/// What is known of the output; nullopt for nothing.
using ShapeRule = std::optional<ShapeFacts> (*)(ShapeQuery &);
using ShapeRules = llvm::StringMap<ShapeRule>;

/// The rules of all operators known here.
const ShapeRules &getShapeRules();

void addElementwiseShapeRules(ShapeRules &rules); // ElementwiseShapes.cpp
void addMovementShapeRules(ShapeRules &rules);    // MovementShapes.cpp
void addComputationShapeRules(ShapeRules &rules); // ComputationShapes.cpp

/// `axis` counted from the front, or nullopt outside [-rank, rank).
std::optional<unsigned> getAxis(int64_t axis, size_t rank);
/// The sizes that broadcasting gives; unknown ones where it cannot be told.
Sizes broadcastShapes(llvm::ArrayRef<Size> lhs, llvm::ArrayRef<Size> rhs);
/// The product of sizes.
Size getProduct(llvm::ArrayRef<Size> sizes);
inline Size constantSize(int64_t value) { return Length{value, 0, 0}; }
inline bool isConstantSize(Size size, int64_t value) {
  return size && *size == Length{value, 0, 0};
}

} // namespace tern::onnx

#endif // TERN_LIB_DIALECT_ONNX_ANALYSIS_SHAPERULES_H
