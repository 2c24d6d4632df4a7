//===- Report.cpp - what became of each layer -----------------------------===//

#include "Report.h"

#include "tern/Dialect/Ternary/IR/Storage.h"
#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace tern;

namespace {

/// Counts of a row of the report, summed for its last line.
struct Totals {
  int64_t layers = 0, weights = 0, zeros = 0, bytes = 0, floatLayers = 0;
};

/// The innermost name of a location: the ONNX node's.
std::string getName(Location location) {
  if (auto name = dyn_cast<NameLoc>(location))
    return name.getName().str();
  if (auto fused = dyn_cast<FusedLoc>(location))
    return fused.getLocations().empty() ? "?"
                                        : getName(fused.getLocations().front());
  return "?";
}

/// How many of the matrix's trits are 0.
int64_t countZeros(ternary::ConstantOp constant) {
  ternary::MatrixType type = constant.getResult().getType();
  SmallVector<uint8_t> scratch, codes(type.getPaddedCols());
  auto bytes = ternary::getConstantBytes(constant.getBytes(), scratch);
  if (!bytes)
    return 0;
  int64_t zeros = 0;
  for (int64_t row = 0; row < type.getRows(); ++row) {
    ternary::decodeRow(type, *bytes, row, codes);
    zeros += llvm::count(ArrayRef(codes).take_front(type.getCols()), 1);
  }
  return zeros;
}

std::string describeActivations(Operation *op) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (auto layer = dyn_cast<ternary::BitLinearOp>(op)) {
    if (auto rule = layer.getQuantizationAttr())
      os << "int8 " << stringifyScaleForm(rule.getForm()) << ' '
         << stringifyRounding(rule.getRounding());
    else
      os << "float";
    return text;
  }
  return "int8 as in the graph";
}

void printLayer(Operation *op, ternary::ConstantOp weights, Totals &totals,
                raw_ostream &os) {
  ternary::MatrixType type = weights.getResult().getType();
  int64_t count = type.getRows() * type.getCols();
  int64_t zeros = countZeros(weights);
  auto form = op->getAttrOfType<StringAttr>("form");
  os << llvm::left_justify(getName(op->getLoc()), 44) << "  "
     << llvm::left_justify(form ? form.getValue() : "-", 12) << "  "
     << llvm::left_justify(
            (Twine(type.getRows()) + "x" + Twine(type.getCols())).str(), 12)
     << "  " << llvm::left_justify(describeActivations(op), 28)
     << llvm::format("%5.1f %% zeros  %lld bytes\n",
                     count ? 100.0 * zeros / count : 0.0,
                     static_cast<long long>(type.getStorageBytes()));
  ++totals.layers;
  totals.weights += count;
  totals.zeros += zeros;
  totals.bytes += type.getStorageBytes();
}

/// True if `value` is a constant, or one that was widened or transposed.
bool comesFromConstant(Value value) {
  while (auto producer = value.getDefiningOp<linalg::LinalgOp>()) {
    if (producer.getNumDpsInputs() != 1)
      return false;
    value = producer.getDpsInputs()[0];
  }
  return matchPattern(value, m_Constant());
}

/// A contraction of floats with a constant: a linear layer that stayed float.
bool isFloatLayer(linalg::LinalgOp op) {
  return linalg::isaContractionOpInterface(op) &&
         llvm::any_of(op.getDpsInputs(), comesFromConstant);
}

} // namespace

void tern::printReport(ModuleOp raised, raw_ostream &os) {
  auto graph = raised.lookupSymbol<func::FuncOp>("main");
  Totals totals;
  graph.walk([&](Operation *op) {
    Value matrix;
    if (auto layer = dyn_cast<ternary::BitLinearOp>(op))
      matrix = layer.getWeights();
    else if (auto product = dyn_cast<ternary::MatmulOp>(op))
      matrix = product.getWeights();
    if (matrix) {
      if (auto weights = matrix.getDefiningOp<ternary::ConstantOp>())
        printLayer(op, weights, totals, os);
    } else if (auto linear = dyn_cast<linalg::LinalgOp>(op);
               linear && isFloatLayer(linear)) {
      os << llvm::left_justify(getName(op->getLoc()), 44)
         << "  stays float: its weights are not ternary\n";
      ++totals.floatLayers;
    }
  });
  os << totals.layers << " ternary layers, " << totals.weights << " weights, "
     << llvm::format("%.1f %% zeros, ",
                     totals.weights ? 100.0 * totals.zeros / totals.weights
                                    : 0.0)
     << totals.bytes << " bytes; " << totals.floatLayers << " float layers\n";
}
