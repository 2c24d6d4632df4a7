//===- Report.cpp - what became of each layer -----------------------------===//

#include "Report.h"

#include "tern/Dialect/Onnx/IR/Onnx.h"
#include "tern/Dialect/Ternary/IR/Storage.h"
#include "tern/Dialect/Ternary/IR/Ternary.h"
#include "tern/Dialect/Ternary/Transforms/Passes.h"
#include "tern/Transforms/NodeLocation.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace tern;

//===----------------------------------------------------------------------===//
// Listening to raising
//===----------------------------------------------------------------------===//

/// The name of the ONNX node that `location` is of.
static std::string getName(Location location) {
  NameLoc node = findNodeLocation(location);
  return node ? node.getName().str() : "?";
}

/// Takes the remarks about layers, attention and constants that were kept as
/// they are.
class Report::Listener : public remark::detail::MLIRRemarkStreamerBase {
public:
  Listener(Report &report, std::function<void()> onLayer)
      : report(report), onLayer(std::move(onLayer)) {}

  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    std::string name = getName(remark.getLocation());
    if (remark.getRemarkName() == "packed") {
      for (NameLoc node : findNodeLocations(remark.getLocation()))
        report.packingOf[node] = report.packings.size();
      Packing &packing = report.packings.emplace_back();
      packing.layout = getArgument(remark, "encoding") + " tile " +
                       getArgument(remark, "tile");
      StringRef(getArgument(remark, "bytes")).getAsInteger(10, packing.bytes);
      packing.choice = getArgument(remark, "Reason");
      return;
    }
    std::string reason = getArgument(remark, "Reason");
    if (remark.getRemarkName() == "attention")
      return addOnce(report.attentions, {std::move(name), std::move(reason)});
    if (remark.getRemarkName() == "computed")
      return addOnce(report.constants, {std::move(name), std::move(reason)});
    onLayer();
    if (remark.getRemarkName() == "kept")
      report.floats.push_back({remark.getLocation(), std::move(name),
                               std::move(reason),
                               getArgument(remark, "weights")});
  }

private:
  /// `step` says again what `main` said.
  static void addOnce(std::vector<NodeNote> &notes, NodeNote note) {
    if (!llvm::is_contained(notes, note))
      notes.push_back(std::move(note));
  }

  static std::string getArgument(const remark::detail::Remark &remark,
                                 StringRef key) {
    for (const auto &argument : remark.getArgs())
      if (argument.key == key)
        return argument.val;
    return "";
  }

  Report &report;
  std::function<void()> onLayer;
};

void Report::listen(MLIRContext &context, std::function<void()> onLayer) {
  remark::RemarkCategories categories;
  categories.missed = categories.passed = "tern-(raise|pack)";
  // Fails only for a malformed regular expression.
  (void)remark::enableOptimizationRemarks(
      context, std::make_unique<Listener>(*this, std::move(onLayer)),
      std::make_unique<remark::RemarkEmittingPolicyAll>(), categories);
}

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

/// Whether a head may pass its result on through `node`.
static bool isAfterHead(onnx::NodeOp node) {
  return llvm::is_contained({"Add", "Cast", "Div", "Identity", "Mul", "Reshape",
                             "Slice", "Squeeze", "Unsqueeze"},
                            node.getKind());
}

/// Whether nothing but trifles lies between a product and an output.
static bool isHead(onnx::NodeOp node) {
  Operation *op = node;
  while (op->getNumResults() == 1 && op->hasOneUse()) {
    op = *op->user_begin();
    if (isa<func::ReturnOp>(op))
      return true;
    auto next = dyn_cast<onnx::NodeOp>(op);
    if (!next || !isAfterHead(next))
      return false;
  }
  return false;
}

void Report::findHeads(ModuleOp imported) {
  llvm::DenseMap<Attribute, FloatLayer *> byLocation;
  for (FloatLayer &layer : floats)
    byLocation[layer.location] = &layer;
  imported.walk([&](onnx::NodeOp node) {
    auto found = byLocation.find(node.getLoc());
    if (found != byLocation.end())
      found->second->isHead = isHead(node);
  });
}

//===----------------------------------------------------------------------===//
// Ternary layers
//===----------------------------------------------------------------------===//

/// How many of the matrix's trits are 0.
static int64_t countZeros(ternary::ConstantOp constant) {
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

static std::string describeActivations(Operation *op) {
  auto layer = dyn_cast<ternary::BitLinearOp>(op);
  if (!layer)
    return "int8 as in the graph";
  ternary::QuantizationAttr rule = layer.getQuantizationAttr();
  if (!rule) {
    std::string text;
    llvm::raw_string_ostream(text)
        << getElementTypeOrSelf(layer.getX().getType());
    return text;
  }
  return ("int8 " + stringifyScaleForm(rule.getForm()) + " " +
          stringifyRounding(rule.getRounding()))
      .str();
}

static std::string describeLayout(ternary::LayoutAttr layout) {
  std::string text = stringifyEncoding(layout.getEncoding()).str();
  return layout.isRowMajor()
             ? text
             : text + " tile " + std::to_string(layout.getTile());
}

void Report::addLayers(ModuleOp raised) {
  raised.lookupSymbol<func::FuncOp>("main").walk([&](Operation *op) {
    Value matrix;
    if (auto layer = dyn_cast<ternary::BitLinearOp>(op))
      matrix = layer.getWeights();
    else if (auto product = dyn_cast<ternary::MatmulOp>(op))
      matrix = product.getWeights();
    auto weights = matrix ? matrix.getDefiningOp<ternary::ConstantOp>()
                          : ternary::ConstantOp();
    if (!weights)
      return;
    ternary::MatrixType type = weights.getResult().getType();
    auto form = op->getAttrOfType<StringAttr>("form");
    TernaryLayer layer;
    layer.node = findNodeLocation(op->getLoc());
    layer.name = getName(op->getLoc());
    layer.form = form ? form.str() : "-";
    layer.activations = describeActivations(op);
    layer.layout = describeLayout(type.getLayout());
    layer.kernels = "loops";
    layer.rows = type.getRows();
    layer.cols = type.getCols();
    layer.zeros = countZeros(weights);
    layer.bytes = type.getStorageBytes();
    layers.push_back(std::move(layer));
  });
}

void Report::addPacking(const Packing &packing,
                        ArrayRef<TernaryLayer *> product) {
  int64_t rows = 0, before = 0;
  for (const TernaryLayer *layer : product)
    rows += layer->rows;
  for (TernaryLayer *layer : product) {
    layer->layout = packing.layout;
    layer->choice = packing.choice;
    // Tiles may hold rows of two layers: the shares add up to the whole.
    int64_t behind = before + layer->rows;
    layer->bytes = rows == 0 ? packing.bytes
                             : packing.bytes * behind / rows -
                                   packing.bytes * before / rows;
    before = behind;
    for (const TernaryLayer *other : product)
      if (other != layer)
        layer->merged.push_back(other->name);
  }
}

void Report::addKernels(ArrayRef<CPULevel> levels) {
  std::string kernels;
  for (const CPULevel &level : levels)
    kernels += (kernels.empty() ? "" : " ") + level.name;
  llvm::MapVector<size_t, SmallVector<TernaryLayer *>> products;
  for (TernaryLayer &layer : layers)
    if (auto found = packingOf.find(layer.node); found != packingOf.end()) {
      products[found->second].push_back(&layer);
      layer.kernels = kernels;
    }
  for (const auto &[packing, product] : products)
    addPacking(packings[packing], product);
}

void Report::addGeneration(ModuleOp raised) {
  auto said = raised->getAttrOfType<StringAttr>("onnx.generation");
  generation = said ? said.str() : "";
}

void Report::addHead(ModuleOp packed) {
  auto said = packed->getAttrOfType<StringAttr>(ternary::kHeadAttr);
  head = said ? said.str() : "";
}

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

namespace {
struct Totals {
  int64_t weights = 0, zeros = 0, bytes = 0;
};
} // namespace

static Totals sumLayers(ArrayRef<TernaryLayer> layers) {
  Totals sum;
  for (const TernaryLayer &layer : layers) {
    sum.weights += layer.rows * layer.cols;
    sum.zeros += layer.zeros;
    sum.bytes += layer.bytes;
  }
  return sum;
}

/// In percent.
static double getShare(int64_t part, int64_t whole) {
  return whole ? 100.0 * part / whole : 0.0;
}

static std::string describeFloat(const FloatLayer &layer) {
  return (layer.isHead ? "the head; " : "") + layer.reason;
}

void Report::printText(raw_ostream &os) const {
  for (const TernaryLayer &layer : layers) {
    std::string shape =
        std::to_string(layer.rows) + "x" + std::to_string(layer.cols);
    os << llvm::left_justify(layer.name, 44) << "  "
       << llvm::left_justify(layer.form, 12) << "  "
       << llvm::left_justify(shape, 12) << "  "
       << llvm::left_justify(layer.activations, 28)
       << llvm::format("%5.1f %% zeros  ",
                       getShare(layer.zeros, layer.rows * layer.cols))
       << llvm::left_justify(layer.layout, 11)
       << llvm::format("%10lld bytes  ", static_cast<long long>(layer.bytes))
       << layer.kernels;
    SmallVector<std::string> notes;
    if (!layer.choice.empty())
      notes.push_back(layer.choice);
    if (!layer.merged.empty())
      notes.push_back("one product with " + llvm::join(layer.merged, ", "));
    if (!notes.empty())
      os << "  (" << llvm::join(notes, "; ") << ')';
    os << '\n';
  }
  for (const FloatLayer &layer : floats)
    os << llvm::left_justify(layer.name, 44) << "  stays float ("
       << layer.weights << "): " << describeFloat(layer) << '\n';
  for (const std::vector<NodeNote> *notes : {&attentions, &constants})
    for (const NodeNote &note : *notes)
      os << llvm::left_justify(note.name, 44) << "  " << note.reason << '\n';
  if (!generation.empty())
    os << generation << '\n';
  if (!head.empty())
    os << "head " << head << '\n';
  Totals sum = sumLayers(layers);
  os << layers.size() << " ternary layers, " << sum.weights << " weights, "
     << llvm::format("%.1f %% zeros, ", getShare(sum.zeros, sum.weights))
     << sum.bytes << " bytes; " << floats.size() << " float layers\n";
}

static llvm::json::Array toJson(ArrayRef<NodeNote> notes) {
  llvm::json::Array array;
  for (const NodeNote &note : notes)
    array.push_back(
        llvm::json::Object{{"name", note.name}, {"reason", note.reason}});
  return array;
}

void Report::printJson(raw_ostream &os) const {
  llvm::json::Array ternaryLayers, floatLayers;
  for (const TernaryLayer &layer : layers)
    ternaryLayers.push_back(
        llvm::json::Object{{"name", layer.name},
                           {"form", layer.form},
                           {"rows", layer.rows},
                           {"cols", layer.cols},
                           {"activations", layer.activations},
                           {"zeros", layer.zeros},
                           {"layout", layer.layout},
                           {"layout_choice", layer.choice},
                           {"bytes", layer.bytes},
                           {"kernels", layer.kernels},
                           {"merged_with", llvm::json::Array(layer.merged)}});
  for (const FloatLayer &layer : floats)
    floatLayers.push_back(llvm::json::Object{{"name", layer.name},
                                             {"weights", layer.weights},
                                             {"reason", layer.reason},
                                             {"head", layer.isHead}});
  Totals sum = sumLayers(layers);
  llvm::json::Object totals{{"weights", sum.weights},
                            {"zeros", sum.zeros},
                            {"bytes", sum.bytes},
                            {"layers", layers.size()},
                            {"float_layers", floats.size()}};
  llvm::json::Object report{{"layers", std::move(ternaryLayers)},
                            {"float_layers", std::move(floatLayers)},
                            {"attention", toJson(attentions)},
                            {"constants", toJson(constants)},
                            {"totals", std::move(totals)}};
  if (!generation.empty())
    report["generation"] = generation;
  if (!head.empty())
    report["head"] = head;
  os << llvm::json::Value(std::move(report)) << '\n';
}
