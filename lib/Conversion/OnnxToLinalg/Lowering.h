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

namespace tern::onnx {

/// What a lowering works with: one node, its lowered inputs, and a builder at
/// its place.
struct LoweringContext {
  NodeOp node;
  /// Signless ranked tensors; null where an optional input is omitted.
  llvm::ArrayRef<mlir::Value> inputs;
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
  /// Starts an error that names the node, its operator and its opset.
  mlir::InFlightDiagnostic error() const;
};

/// The lowered outputs, one for each output of the node; null for an output
/// that nobody uses.
using LoweringResult = mlir::FailureOr<llvm::SmallVector<mlir::Value>>;
using LoweringFn = LoweringResult (*)(LoweringContext &);
using LoweringTable = llvm::StringMap<LoweringFn>;

// One for each file of this folder.
void addElementwiseLowerings(LoweringTable &table);   // Elementwise.cpp
void addReductionLowerings(LoweringTable &table);     // Reduction.cpp
void addContractionLowerings(LoweringTable &table);   // Contraction.cpp
void addNormalizationLowerings(LoweringTable &table); // Normalization.cpp
void addQuantizationLowerings(LoweringTable &table);  // Quantization.cpp
void addShapeLowerings(LoweringTable &table);         // Shape.cpp
void addMovementLowerings(LoweringTable &table);      // Movement.cpp
void addIndexingLowerings(LoweringTable &table);      // Indexing.cpp
void addAttentionLowerings(LoweringTable &table);     // Attention.cpp

} // namespace tern::onnx

#endif // TERN_LIB_CONVERSION_ONNXTOLINALG_LOWERING_H
