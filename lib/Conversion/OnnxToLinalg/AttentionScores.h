//===- AttentionScores.h - the arithmetic of one score ----------*- C++ -*-===//
//
// What the loops over rows of keys and those over columns of queries compute
// for each of their elements.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_LIB_CONVERSION_ONNXTOLINALG_ATTENTIONSCORES_H
#define TERN_LIB_CONVERSION_ONNXTOLINALG_ATTENTIONSCORES_H

#include "AttentionCore.h"

namespace tern::onnx {

mlir::Value negativeInfinity(mlir::ImplicitLocOpBuilder &b, mlir::Type type);

/// Where `value` is `special`, `replacement` instead.
mlir::Value replaceFloat(mlir::ImplicitLocOpBuilder &b, mlir::Value value,
                         mlir::Value special, double replacement);

/// A float or a code as `type`, a float type.
mlir::Value toFloat(mlir::ImplicitLocOpBuilder &b, mlir::Value scalar,
                    mlir::Type type);

/// The score, at `stage` but not masked, of a product of a query and a key.
/// `keyScale` may be null.
mlir::Value scoreProduct(mlir::ImplicitLocOpBuilder &b,
                         const AttentionProblem &problem, mlir::Value product,
                         mlir::Value keyScale, ScoreStage stage);

/// exp(score - maximum), where a maximum over nothing, minus infinity, counts
/// as 0: what is masked is 0 also in rows that are masked altogether.
mlir::Value weigh(mlir::ImplicitLocOpBuilder &b, mlir::Value score,
                  mlir::Value maximum);

} // namespace tern::onnx

#endif // TERN_LIB_CONVERSION_ONNXTOLINALG_ATTENTIONSCORES_H
