//===- TilingInterfaceImpl.cpp - tiling of ternary operations -------------===//

#include "tern/Dialect/Ternary/Transforms/Interfaces.h"

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/TilingInterface.h"

using namespace mlir;
using namespace tern::ternary;

namespace {
/// The iteration space is the output, tokens by padded rows. The sum over
/// columns is not tiled: it stays in registers.
struct PackedMatmulTiling
    : TilingInterface::ExternalModel<PackedMatmulTiling, PackedMatmulOp> {
  SmallVector<utils::IteratorType> getLoopIteratorTypes(Operation *) const {
    return SmallVector<utils::IteratorType>(2, utils::IteratorType::parallel);
  }

  SmallVector<Range> getIterationDomain(Operation *op,
                                        OpBuilder &builder) const {
    auto matmul = cast<PackedMatmulOp>(op);
    OpFoldResult zero = builder.getIndexAttr(0), one = builder.getIndexAttr(1);
    OpFoldResult tokens = builder.getIndexAttr(0);
    if (matmul.hasPureTensorSemantics())
      tokens = tensor::getMixedSize(builder, op->getLoc(), matmul.getInit(), 0);
    OpFoldResult rows =
        builder.getIndexAttr(matmul.getMatrixType().getPaddedRows());
    return {{zero, tokens, one}, {zero, rows, one}};
  }

  /// Fails unless the tile has a constant number of whole tiles of rows.
  FailureOr<TilingResult>
  getTiledImplementation(Operation *op, OpBuilder &builder,
                         ArrayRef<OpFoldResult> offsets,
                         ArrayRef<OpFoldResult> sizes) const {
    auto matmul = cast<PackedMatmulOp>(op);
    MatrixType matrix = matmul.getMatrixType();
    int64_t tile = matrix.getLayout().getTile();
    std::optional<int64_t> rows = getConstantIntValue(sizes[1]);
    if (!matmul.hasPureTensorSemantics())
      return op->emitOpError("can be tiled on tensors only");
    if (!rows || *rows % tile != 0)
      return op->emitOpError()
             << "cannot be tiled by "
             << (rows ? std::to_string(*rows) : "a varying number of")
             << " rows; expected a multiple of " << tile
             << ", the rows of a tile, that divides " << matrix.getPaddedRows();

    Location loc = op->getLoc();
    auto part = MatrixType::get(op->getContext(), *rows, matrix.getCols(),
                                matrix.getLayout());
    int64_t rowBytes =
        matrix.getPaddedCols() / matrix.getLayout().getCodesPerByte();
    OpFoldResult firstByte = affine::makeComposedFoldedAffineApply(
        builder, loc, builder.getAffineDimExpr(0) * rowBytes, {offsets[1]});
    OpFoldResult zero = builder.getIndexAttr(0), one = builder.getIndexAttr(1);
    auto x = tensor::ExtractSliceOp::create(
        builder, loc, matmul.getX(), ArrayRef{offsets[0], zero},
        ArrayRef<OpFoldResult>{sizes[0],
                               builder.getIndexAttr(matrix.getPaddedCols())},
        ArrayRef{one, one});
    auto bytes = tensor::ExtractSliceOp::create(
        builder, loc, matmul.getBytes(), ArrayRef{firstByte},
        ArrayRef<OpFoldResult>{builder.getIndexAttr(part.getStorageBytes())},
        ArrayRef{one});
    auto init = tensor::ExtractSliceOp::create(
        builder, loc, matmul.getInit(), offsets, sizes, ArrayRef{one, one});
    auto tiled = PackedMatmulOp::create(builder, loc, init.getType(), x, bytes,
                                        init, TypeAttr::get(part));
    return TilingResult{
        {tiled}, SmallVector<Value>(tiled->getResults()), {x, bytes, init}};
  }

  LogicalResult getResultTilePosition(
      Operation *, OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,
      ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,
      SmallVector<OpFoldResult> &resultSizes) const {
    resultOffsets.assign(offsets.begin(), offsets.end());
    resultSizes.assign(sizes.begin(), sizes.end());
    return success();
  }

  LogicalResult getIterationDomainTileFromResultTile(
      Operation *, OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,
      ArrayRef<OpFoldResult> sizes, SmallVectorImpl<OpFoldResult> &tileOffsets,
      SmallVectorImpl<OpFoldResult> &tileSizes) const {
    tileOffsets.assign(offsets.begin(), offsets.end());
    tileSizes.assign(sizes.begin(), sizes.end());
    return success();
  }

  FailureOr<TilingResult>
  generateResultTileValue(Operation *op, OpBuilder &builder, unsigned,
                          ArrayRef<OpFoldResult> offsets,
                          ArrayRef<OpFoldResult> sizes) const {
    return getTiledImplementation(op, builder, offsets, sizes);
  }
};
} // namespace

void tern::ternary::registerTilingInterfaceExternalModels(
    DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, TernaryDialect *) {
    PackedMatmulOp::attachInterface<PackedMatmulTiling>(*context);
    context->loadDialect<affine::AffineDialect, tensor::TensorDialect>();
  });
}
