//===- Lowering.h - how one ONNX node becomes linalg ------------*- C++ -*-===//
//
// Each operator has a function that builds its lowering from inputs that are
// lowered already. The pass walks a graph in order, so an input's type is as
// static as what came before could prove, and a node that cannot be lowered is
// reported with its own words (a pattern's failure message would be lost).
//
//===----------------------------------------------------------------------===//
#ifndef TERN_LIB_CONVERSION_ONNXTOLINALG_LOWERING_H
#define TERN_LIB_CONVERSION_ONNXTOLINALG_LOWERING_H

#include "tern/Dialect/Onnx/IR/Onnx.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/StringMap.h"

#include <optional>
#include <string>

namespace tern::onnx {

/// What a lowering works with: one node, its lowered inputs, and a builder at
/// its place.
struct LoweringContext {
  NodeOp node;
  /// Signless ranked tensors; null where an optional input is omitted.
  llvm::ArrayRef<mlir::Value> inputs;
  /// The types that ONNX gives them, with signedness.
  llvm::ArrayRef<mlir::Type> inputTypes;
  mlir::ImplicitLocOpBuilder &b;

  /// Input `index`, or null where it is omitted.
  mlir::Value input(unsigned index) const {
    return index < inputs.size() ? inputs[index] : mlir::Value();
  }
  mlir::RankedTensorType type(unsigned index) const {
    return llvm::cast<mlir::RankedTensorType>(input(index).getType());
  }
  /// Whether the ONNX type of input `index` (output `index`) is unsigned.
  bool isUnsigned(unsigned index) const;
  bool isUnsignedOutput(unsigned index) const;
  /// `node 'a/b' (MatMul, opset 17)`: how messages speak of the node.
  std::string describe() const;
  /// Starts an error that names the node, its operator and its opset.
  mlir::InFlightDiagnostic error() const;
  /// Checks at run time that `condition` (i1) holds; where it does not, the
  /// program ends with describe() and `message`. Nothing is emitted where the
  /// condition is known to hold.
  void check(mlir::Value condition, llvm::StringRef message);
  /// The constant integers of input `index` (signed), or nullopt where it is
  /// omitted or not constant.
  std::optional<llvm::SmallVector<int64_t>> constantInts(unsigned index) const;
};

/// The element type that ONNX's `type` has after lowering: integers are
/// signless, and those narrower than a byte, bool excepted, become i8.
mlir::Type lowerElementType(mlir::Type type);
/// The same for the element type of a tensor; other types stay.
mlir::Type lowerType(mlir::Type type);

/// `axis` counted from the front, or failure, with an error, where it is
/// outside [-rank, rank).
mlir::FailureOr<int64_t> normalizeAxis(LoweringContext &ctx, int64_t axis,
                                       int64_t rank);

/// A scalar constant of `type`; integers take `value` truncated.
mlir::Value scalarConstant(mlir::ImplicitLocOpBuilder &b, mlir::Type type,
                           double value);

/// The lowered outputs, one for each output of the node; null for an output
/// that nobody uses.
using LoweringResult = mlir::FailureOr<llvm::SmallVector<mlir::Value>>;
using LoweringFn = LoweringResult (*)(LoweringContext &);
using LoweringTable = llvm::StringMap<LoweringFn>;

/// The result of a node that has one output.
LoweringResult single(mlir::FailureOr<mlir::Value> output);

/// A float scalar in `type`, another float type; rounds to nearest even.
mlir::Value convertFloat(mlir::ImplicitLocOpBuilder &b, mlir::Value scalar,
                         mlir::Type type);

/// A scalar of any lowered type as `type` by the rules of ONNX's Cast. Where
/// ONNX leaves a float to integer conversion undefined, this saturates, and NaN
/// becomes 0.
mlir::Value convertScalar(mlir::ImplicitLocOpBuilder &b, mlir::Value scalar,
                          bool isUnsigned, mlir::Type type, bool toUnsigned);

/// Replaces an `onnx.constant` by an arith.constant of the lowered type (a
/// resource stays where it is), or builds the loop that unpacks a large one of
/// elements narrower than a byte. Null, with an error, where `value` is
/// damaged.
mlir::Value lowerConstant(ConstantOp op, mlir::ImplicitLocOpBuilder &b);

// One for each file of this folder that lowers nodes.
void addElementwiseLowerings(LoweringTable &table);   // Elementwise.cpp
void addMathLowerings(LoweringTable &table);          // Math.cpp
void addCastLowerings(LoweringTable &table);          // Cast.cpp
void addReductionLowerings(LoweringTable &table);     // Reduction.cpp
void addContractionLowerings(LoweringTable &table);   // Contraction.cpp
void addNormalizationLowerings(LoweringTable &table); // Normalization.cpp
void addQuantizationLowerings(LoweringTable &table);  // Quantization.cpp
void addMatMulNBitsLowering(LoweringTable &table);    // MatMulNBits.cpp
void addShapeLowerings(LoweringTable &table);         // Shape.cpp
void addMovementLowerings(LoweringTable &table);      // Movement.cpp
void addIndexingLowerings(LoweringTable &table);      // Indexing.cpp
void addAttentionLowerings(LoweringTable &table);     // Attention.cpp

} // namespace tern::onnx

#endif // TERN_LIB_CONVERSION_ONNXTOLINALG_LOWERING_H
