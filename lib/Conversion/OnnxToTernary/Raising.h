//===- Raising.h - from ONNX nodes to ternary layers ------------*- C++ -*-===//
//
// One function for each kind of node that may be a ternary layer. Each either
// replaces its node and says so in a remark, or leaves the graph alone and says
// why; it fails, after an error, where weights are malformed. The pass calls
// them once a node, in order: a weight that is no ternary matrix must not be
// evaluated again and again, as a pattern driver would.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_LIB_CONVERSION_ONNXTOTERNARY_RAISING_H
#define TERN_LIB_CONVERSION_ONNXTOTERNARY_RAISING_H

#include "ActivationQuantization.h"
#include "Matching.h"
#include "WeightProof.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tern {

/// A node that computes `activation * weights^T`, and what belongs to it.
struct LinearLayer {
  onnx::NodeOp node;
  mlir::Value activation; // [..., K]
  TernaryWeight weight;
  /// Added to the product; null where there is none.
  mlir::Value bias;
  /// Where the weights come from: "baked", "packed", "dequantize", ...
  llvm::StringRef form;
};

/// Raises one node; does nothing where it is no ternary layer.
mlir::LogicalResult raiseMatMul(const Matcher &matcher,
                                onnx::NodeOp node); // Linear.cpp
mlir::LogicalResult raiseGemm(const Matcher &matcher,
                              onnx::NodeOp node); // Linear.cpp
mlir::LogicalResult raiseMatMulNBits(const Matcher &matcher,
                                     onnx::NodeOp node); // NBits.cpp
mlir::LogicalResult raiseMatMulInteger(const Matcher &matcher,
                                       onnx::NodeOp node); // IntegerLinear.cpp
mlir::LogicalResult raiseQLinearMatMul(const Matcher &matcher,
                                       onnx::NodeOp node); // IntegerLinear.cpp

/// Replaces a layer on float activations by the best of `ternary.bit_linear`
/// with quantisation, `ternary.matmul` on codes, and `ternary.bit_linear` on
/// floats (Linear.cpp).
void raiseFloatLayer(const Matcher &matcher, LinearLayer &layer);

//===----------------------------------------------------------------------===//
// Weights (Weights.cpp)
//===----------------------------------------------------------------------===//

/// The layer's weights; nullopt where they are not ternary and the layer stays
/// float; failure, after an error, where they are malformed.
using ProofResult = mlir::FailureOr<std::optional<TernaryWeight>>;

/// Proves `weights`, [N, K] of F32. Says in a remark why they are not ternary,
/// in a warning too where they nearly are, and in an error where they are
/// two-bit codes of which some are no trits.
ProofResult proveOrReport(onnx::NodeOp node, const onnx::Tensor &weights,
                          WeightCodes codes);

/// Evaluates and proves the weights in `value`, a matrix [K, N] or, with
/// `isOutputMajor`, [N, K]. Silent where they are not constant.
ProofResult proveWeights(const Matcher &matcher, onnx::NodeOp node,
                         mlir::Value value, bool isOutputMajor);

/// Whether `value` is computed from codes of two bits: INT2 or UINT2, or bytes
/// taken apart by shifts.
WeightCodes getWeightCodes(mlir::Value value);

/// What kind of sub-graph produces the weights.
llvm::StringRef getWeightForm(mlir::Value value);

void reportRaised(onnx::NodeOp node, llvm::StringRef form,
                  llvm::StringRef operation);
/// `weights` is the input that holds them, or null for where `node` has them.
void reportMissed(onnx::NodeOp node, const llvm::Twine &reason,
                  mlir::Value weights = {});
/// Reports that a layer stays float, which is no failure.
inline mlir::LogicalResult keepFloat(onnx::NodeOp node,
                                     const llvm::Twine &reason,
                                     mlir::Value weights = {}) {
  reportMissed(node, reason, weights);
  return mlir::success();
}

//===----------------------------------------------------------------------===//
// Parts of weights (SplitWeights.cpp)
//===----------------------------------------------------------------------===//

/// Gives the users of a Split of a constant slices of it, which are values that
/// the evaluator knows. Leaves the node where sizes are not known.
void replaceSplitOfConstant(const Matcher &matcher, onnx::NodeOp split);

//===----------------------------------------------------------------------===//
// Output scales (OutputScale.cpp)
//===----------------------------------------------------------------------===//

/// The end of the chain of rescaling nodes behind a product, and the constant
/// factors on the way: 1 or N floats each, or none.
struct OutputScale {
  mlir::Value end;
  llvm::SmallVector<float> factors;
  llvm::SmallVector<float> divisors;
};

/// Follows casts and products behind `product`, `rows` being N. With `pending`
/// the chain must apply its scale exactly once, else it must not be met;
/// nullopt where that fails. Never walks past a value with other users.
std::optional<OutputScale> followOutput(const Matcher &matcher,
                                        mlir::Value product, int64_t rows,
                                        const AbsmaxQuantization *pending);

/// The weight scale with the factors and divisors of `output`: in place of the
/// weight's own where that is 1. Returns whether it divides.
bool foldScales(TernaryWeight &weight, const OutputScale &output);

//===----------------------------------------------------------------------===//
// Building (Building.cpp)
//===----------------------------------------------------------------------===//

using mlir::ImplicitLocOpBuilder;

/// An ONNX node with one result.
mlir::Value buildNode(ImplicitLocOpBuilder &b, llvm::StringRef kind,
                      mlir::Type type, mlir::ValueRange inputs,
                      llvm::ArrayRef<mlir::NamedAttribute> attrs = {});
/// An elementwise node whose result is `shaped`'s shape with `elementType`.
mlir::Value buildElementwise(ImplicitLocOpBuilder &b, llvm::StringRef kind,
                             mlir::Value shaped, mlir::Type elementType,
                             mlir::ValueRange inputs);
/// A Cast to `elementType`, or `value` where it has that type.
mlir::Value buildCast(ImplicitLocOpBuilder &b, mlir::Value value,
                      mlir::Type elementType);
mlir::Value buildMatrix(ImplicitLocOpBuilder &b, const TernaryWeight &weight);
/// The scales of `weight` as `tensor<1xf32>`, `[N]` or `[N, G]`.
mlir::Value buildScales(ImplicitLocOpBuilder &b, const TernaryWeight &weight);
/// `value`, of rank at least 1, with a last dimension known to be `size`.
mlir::Value withLastDim(ImplicitLocOpBuilder &b, mlir::Value value,
                        int64_t size);
/// `ternary.matmul` of `codes` `[..., K]` of i8, the leading dimensions being
/// merged and restored: `[..., N]` of i32, or of f32 with the weight's scales
/// applied where they are not 1.
mlir::Value buildProduct(ImplicitLocOpBuilder &b, mlir::Value codes,
                         const TernaryWeight &weight, llvm::StringRef form);
/// Gives the users of `old` the value `replacement`, with its type.
void replaceWithCast(ImplicitLocOpBuilder &b, mlir::Value old,
                     mlir::Value replacement);

} // namespace tern

#endif // TERN_LIB_CONVERSION_ONNXTOTERNARY_RAISING_H
