//===- ScreenHead.cpp - the head of a language model's step ---------------===//

#include "tern/Dialect/Ternary/Transforms/Passes.h"

#include "HeadMatching.h"

#include "tern/Dialect/Ternary/IR/HeadScreen.h"
#include "tern/Dialect/Ternary/IR/Storage.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/Support/Parallel.h"

namespace tern::ternary {
#define GEN_PASS_DEF_SCREENHEAD
#include "tern/Dialect/Ternary/Transforms/Passes.h.inc"
} // namespace tern::ternary

using namespace mlir;
using namespace tern::ternary;

//===----------------------------------------------------------------------===//
// The screen
//===----------------------------------------------------------------------===//

namespace {
struct Screen {
  ElementsAttr codes, bounds;
};
} // namespace

/// As many tiles as one thread takes at a time.
static constexpr int64_t kTilesPerTask = 64;

/// As many bytes of rows as are read before their pages may be forgotten.
static constexpr int64_t kPieceBytes = int64_t(64) << 20;

/// The bytes of a float constant, row-major; `scratch` holds those of a splat.
static ArrayRef<char> getBytes(ElementsAttr attr,
                               SmallVectorImpl<char> &scratch) {
  auto dense = dyn_cast<DenseElementsAttr>(attr);
  if (!dense || !dense.isSplat())
    return getElementBytes(attr);
  for (int64_t i = 0; i < dense.getNumElements(); ++i)
    scratch.append(dense.getRawData().begin(), dense.getRawData().end());
  return scratch;
}

static Screen buildScreen(ElementsAttr rows,
                          const std::function<void()> &forget) {
  auto type = cast<RankedTensorType>(rows.getType());
  ScreenShape shape = {type.getDimSize(0), type.getDimSize(1)};
  SmallVector<char> scratch;
  ArrayRef<char> bytes = getBytes(rows, scratch);
  auto boundsType =
      RankedTensorType::get({shape.getTiles(), ScreenShape::kTileBounds},
                            BFloat16Type::get(rows.getContext()));
  AsmResourceBlob blob =
      HeapAsmResourceBlob::allocate(shape.getBoundBytes(), /*align=*/64);
  MutableArrayRef<uint16_t> bounds(
      reinterpret_cast<uint16_t *>(blob.getMutableData().data()),
      shape.getNumBounds());

  std::string name = ("screen_" + getConstantName(rows)).str();
  auto codesType = RankedTensorType::get(
      {shape.getCodeBytes()}, IntegerType::get(rows.getContext(), 8));
  auto fill = [&](MutableArrayRef<uint8_t> codes) {
    int64_t tiles = shape.getTiles();
    int64_t tileBytes = std::max<int64_t>(
        1, ScreenShape::kTile * shape.cols * type.getElementTypeBitWidth() / 8);
    int64_t tasks = llvm::divideCeil(tiles, kTilesPerTask);
    int64_t step = llvm::divideCeil(kPieceBytes, tileBytes * kTilesPerTask);
    for (int64_t begin = 0; begin < tasks; begin += step) {
      llvm::parallelFor(begin, std::min(begin + step, tasks), [&](size_t task) {
        int64_t first = task * kTilesPerTask;
        int64_t end = std::min(first + kTilesPerTask, tiles);
        buildScreenTiles(shape, cast<FloatType>(type.getElementType()), bytes,
                         first, end, codes, bounds);
      });
      if (forget)
        forget();
    }
  };
  ElementsAttr codes = buildConstantBytes(codesType, name, fill);
  return {codes, DenseResourceElementsAttr::get(boundsType, name + "_bounds",
                                                std::move(blob))};
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

namespace {
/// Where the row of the one token is in a tensor of such.
struct TokenRow {
  TokenRow(OpBuilder &b, Value tensor) : tensor(tensor) {
    auto tensorType = cast<RankedTensorType>(tensor.getType());
    int64_t rank = tensorType.getRank(), size = tensorType.getShape().back();
    type = RankedTensorType::get(size, tensorType.getElementType());
    offsets.assign(rank, b.getIndexAttr(0));
    strides = sizes = SmallVector<OpFoldResult>(rank, b.getIndexAttr(1));
    sizes.back() = b.getIndexAttr(size);
  }

  Value extract(ImplicitLocOpBuilder &b) const {
    return tensor::ExtractSliceOp::create(b, type, tensor, offsets, sizes,
                                          strides);
  }
  Value insert(ImplicitLocOpBuilder &b, Value row) const {
    return tensor::InsertSliceOp::create(b, row, tensor, offsets, sizes,
                                         strides);
  }

  Value tensor;
  RankedTensorType type; ///< of the row
  SmallVector<OpFoldResult> offsets, sizes, strides;
};
} // namespace

/// The hidden state of the one token, `[K]` in f32.
static Value buildHidden(ImplicitLocOpBuilder &b, Value x) {
  TokenRow row(b, x);
  Value hidden = row.extract(b);
  if (row.type.getElementType().isF32())
    return hidden;
  auto wide = row.type.clone(b.getF32Type());
  Value init =
      tensor::EmptyOp::create(b, wide.getShape(), wide.getElementType());
  auto body = [](OpBuilder &nested, Location loc, ValueRange args) {
    linalg::YieldOp::create(
        nested, loc,
        arith::ExtFOp::create(nested, loc, nested.getF32Type(), args[0])
            .getResult());
  };
  return linalg::GenericOp::create(
             b, wide, hidden, init,
             SmallVector<AffineMap>(2, b.getMultiDimIdentityMap(1)),
             ArrayRef{utils::IteratorType::parallel}, body)
      .getResult(0);
}

/// The logits of the one token in `destination`, of the contraction's type.
static Value buildLogits(ImplicitLocOpBuilder &b, const HeadMatch &match,
                         std::optional<Screen> screen, Value best,
                         Value destination) {
  Value hidden = buildHidden(b, match.x);
  TokenRow row(b, destination);
  Value codes, bounds;
  if (screen) {
    codes = arith::ConstantOp::create(b, screen->codes);
    bounds = arith::ConstantOp::create(b, screen->bounds);
  }
  Value logits = HeadOp::create(b, row.type, hidden, match.rows, best, codes,
                                bounds, row.extract(b),
                                match.isRounded ? TypeAttr::get(b.getBF16Type())
                                                : TypeAttr())
                     .getResult();
  return row.insert(b, logits);
}

namespace {
/// A contraction, behind what fills the tensor that it adds to.
struct FilledProduct {
  /// Requires what HeadMatch ensures: the tensor is filled.
  explicit FilledProduct(linalg::GenericOp product)
      : product(product),
        fill(product.getDpsInits()[0].getDefiningOp<linalg::LinalgOp>()) {}

  /// What is filled; its elements are never read.
  Value getTensor() { return fill.getDpsInits()[0]; }

  /// The same in `destination`.
  Value cloneInto(ImplicitLocOpBuilder &b, Value destination) {
    IRMapping mapping;
    mapping.map(getTensor(), destination);
    b.clone(*fill, mapping);
    return b.clone(*product, mapping)->getResult(0);
  }

private:
  linalg::LinalgOp product, fill;
};
} // namespace

/// Whether `x` holds one token.
static Value buildIsOne(ImplicitLocOpBuilder &b, Value x) {
  auto type = cast<RankedTensorType>(x.getType());
  Value one = arith::ConstantIndexOp::create(b, 1);
  Value result;
  for (int64_t dim = 0; dim + 1 < type.getRank(); ++dim) {
    if (!type.isDynamicDim(dim))
      continue;
    Value size = tensor::DimOp::create(b, x, dim);
    Value isOne = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, size, one);
    result =
        result ? arith::AndIOp::create(b, result, isOne).getResult() : isOne;
  }
  return result ? result : arith::ConstantIntOp::create(b, 1, 1).getResult();
}

/// Says that large buffers are over, where `step` reads several tokens: one's
/// are needed again for the next.
static void trimAfterPrompt(ImplicitLocOpBuilder &b, func::FuncOp step) {
  Value tokens = step.getArgument(0),
        one = arith::ConstantIndexOp::create(b, 1);
  Value count = tensor::DimOp::create(b, tokens, one);
  Value isPrompt =
      arith::CmpIOp::create(b, arith::CmpIPredicate::ugt, count, one);
  auto branch = scf::IfOp::create(b, isPrompt, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(branch.thenYield());
  TrimOp::create(b);
}

static void rewrite(const HeadMatch &match, std::optional<Screen> screen,
                    Value best) {
  linalg::GenericOp product = match.product;
  ImplicitLocOpBuilder b(product.getLoc(), product);
  // Both branches write to one tensor: its buffer may be the caller's.
  FilledProduct filled(product);
  Value destination = tensor::EmptyOp::create(
      b, tensor::getMixedSizes(b, b.getLoc(), filled.getTensor()),
      b.getF32Type());
  auto branch =
      scf::IfOp::create(b, product.getResultTypes(), buildIsOne(b, match.x),
                        /*withElseRegion=*/true);
  b.setInsertionPointToStart(branch.thenBlock());
  trimAfterPrompt(b, product->getParentOfType<func::FuncOp>());
  if (!best)
    best = arith::ConstantIndexOp::create(b, 0);
  scf::YieldOp::create(b, buildLogits(b, match, screen, best, destination));
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, filled.cloneInto(b, destination));
  product.replaceAllUsesWith(branch.getResults());
  product.erase();
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct ScreenHeadPass : tern::ternary::impl::ScreenHeadBase<ScreenHeadPass> {
  using Base::Base;
  ScreenHeadPass(ScreenHeadOptions options, std::function<void()> forget)
      : Base(std::move(options)), forget(std::move(forget)) {}

  void runOnOperation() override {
    if (mode != "auto" && mode != "exact" && mode != "screened") {
      emitError(getOperation().getLoc())
          << "unknown mode '" << mode << "'; expected auto, exact or screened";
      return signalPassFailure();
    }
    auto step = getOperation().lookupSymbol<func::FuncOp>("step");
    if (!step)
      return;
    HeadMatch match;
    if (std::optional<std::string> reason = matchHead(step, match))
      return describe("as the graph says: " + *reason);
    auto type = cast<RankedTensorType>(match.rows.getType());
    uint64_t bytes = type.getNumElements() * type.getElementTypeBitWidth() / 8;
    if (mode == "exact" || type.getDimSize(1) > kMostScreenColumns ||
        (mode == "auto" && bytes < minBytes)) {
      rewrite(match, std::nullopt, Value());
      return describe("exact: reads " + Twine(bytes) + " bytes a token");
    }
    Screen screen = buildScreen(match.constant, forget);
    // Behind the tokens, the number of positions past, and that of logits.
    constexpr unsigned position = 3;
    if (failed(step.insertArgument(position, IndexType::get(&getContext()), {},
                                   step.getLoc())))
      return signalPassFailure();
    rewrite(match, screen, step.getArgument(position));
    describe("screened: reads " +
             Twine(ScreenShape{type.getDimSize(0), type.getDimSize(1)}
                       .getCodeBytes()) +
             " bytes a token and " + Twine(bytes / type.getDimSize(0)) +
             " for each logit that may be one of the best, of " + Twine(bytes));
  }

private:
  void describe(const Twine &text) {
    getOperation()->setAttr(kHeadAttr, StringAttr::get(&getContext(), text));
  }

  std::function<void()> forget;
};
} // namespace

std::unique_ptr<Pass>
tern::ternary::createScreenHead(ScreenHeadOptions options,
                                std::function<void()> forget) {
  return std::make_unique<ScreenHeadPass>(std::move(options),
                                          std::move(forget));
}
