//===- Kernel.h - the body of a packed product --------------------*- C++
//-*-===//
#ifndef TERN_LIB_CONVERSION_TERNARYTOVECTOR_KERNEL_H
#define TERN_LIB_CONVERSION_TERNARYTOVECTOR_KERNEL_H

#include "VectorTarget.h"

#include "tern/Dialect/Ternary/IR/Ternary.h"

namespace tern::ternary {

/// Rows of a tile that the kernels are written for.
constexpr int64_t kernelTile = 16;

/// Builds, at the builder's insertion point, the product of `x` of [M, K'] and
/// the matrix stored in `bytes` into `out` of [M, N'], all memrefs whose last
/// dimension is contiguous. The rows are shared out by an scf.parallel of one
/// dimension; M may be anything.
void buildKernel(mlir::OpBuilder &builder, mlir::Location loc,
                 const VectorTarget &target, MatrixType matrix, mlir::Value x,
                 mlir::Value bytes, mlir::Value out);

} // namespace tern::ternary

#endif // TERN_LIB_CONVERSION_TERNARYTOVECTOR_KERNEL_H
