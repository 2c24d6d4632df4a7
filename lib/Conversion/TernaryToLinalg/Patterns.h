//===- Patterns.h - the parts of the portable lowering ------------*- C++
//-*-===//
#ifndef TERN_LIB_CONVERSION_TERNARYTOLINALG_PATTERNS_H
#define TERN_LIB_CONVERSION_TERNARYTOLINALG_PATTERNS_H

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/DialectConversion.h"

namespace tern::ternary {

/// quantize, rescale.
void populateQuantizationPatterns(mlir::RewritePatternSet &patterns);

/// matmul and, unless it is legal, packed_matmul.
void populateProductPatterns(const mlir::TypeConverter &converter,
                             mlir::RewritePatternSet &patterns);

/// constant, pack, unpack, bytes: a matrix becomes a tensor of its bytes.
void populateStoragePatterns(const mlir::TypeConverter &converter,
                             mlir::RewritePatternSet &patterns);

/// The code of one plane of a byte (i8), as i8: 0, 1 or 2.
mlir::Value buildCode(mlir::OpBuilder &builder, mlir::Location loc,
                      Encoding encoding, mlir::Value byte, int64_t plane);

/// As above for a plane that only the loop knows, an index.
mlir::Value buildCode(mlir::OpBuilder &builder, mlir::Location loc,
                      Encoding encoding, mlir::Value byte, mlir::Value plane);

/// A tensor.empty.
mlir::Value buildEmpty(mlir::OpBuilder &builder, mlir::Location loc,
                       llvm::ArrayRef<mlir::OpFoldResult> shape,
                       mlir::Type elementType);

/// A new tensor of zeros.
mlir::Value buildZeros(mlir::OpBuilder &builder, mlir::Location loc,
                       llvm::ArrayRef<mlir::OpFoldResult> shape,
                       mlir::Type elementType);

} // namespace tern::ternary

#endif // TERN_LIB_CONVERSION_TERNARYTOLINALG_PATTERNS_H
