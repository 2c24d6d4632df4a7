//===- Report.h - what became of each layer ---------------------*- C++ -*-===//
#ifndef TERN_LIB_DRIVER_REPORT_H
#define TERN_LIB_DRIVER_REPORT_H

#include "tern/Target/CPULevel.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <functional>
#include <string>
#include <vector>

namespace tern {

/// A ternary layer, N x K.
struct TernaryLayer {
  mlir::LocationAttr node; ///< of the ONNX node that multiplies, or null
  std::string name;        ///< of that node
  std::string form;        ///< how its weights were found: "packed", ...
  std::string activations; ///< what is multiplied with the trits
  std::string layout;      ///< of the stored trits
  std::string choice;      ///< why it is that layout; empty if it was asked for
  std::string kernels;     ///< one for each CPU level, as the levels are
  /// The layers whose products are one with this one's, by name.
  std::vector<std::string> merged;
  int64_t rows = 0, cols = 0, zeros = 0, bytes = 0;
};

/// A product with constant weights that is no ternary layer.
struct FloatLayer {
  mlir::Location location; ///< of its ONNX node
  std::string name, reason, weights;
  /// Its result is what the model returns: no published model has a ternary
  /// one.
  bool isHead = false;
};

/// A node of which something is to be said.
struct NodeNote {
  std::string name, reason;

  bool operator==(const NodeNote &other) const {
    return name == other.name && reason == other.reason;
  }
};

/// What became of the layers of a model, gathered while it is compiled.
class Report {
public:
  /// Listens to what raising and packing say in `context`, which must not
  /// outlive this object. Calls `onLayer` for each layer that is raised.
  void listen(mlir::MLIRContext &context, std::function<void()> onLayer);
  /// Notes which float layers are heads; `imported` is the module before
  /// raising.
  void findHeads(mlir::ModuleOp imported);
  /// Reads the ternary layers off `main` of a raised module.
  void addLayers(mlir::ModuleOp raised);
  /// Notes the kernels of the layers that were packed by now; the others are
  /// loops.
  void addKernels(llvm::ArrayRef<CPULevel> levels);

  /// Reads off a raised module how a language model generates text.
  void addGeneration(mlir::ModuleOp raised);

  /// Reads off a packed module how a language model's step reads its head.
  void addHead(mlir::ModuleOp packed);
  /// As addHead found it; empty if the model has no step.
  const std::string &getHead() const { return head; }

  llvm::ArrayRef<FloatLayer> getFloatLayers() const { return floats; }

  /// A table, one line a layer, one on generation, and one of totals. Attention
  /// and constants are only there where something about them is to be said.
  void printText(llvm::raw_ostream &os) const;
  /// One line of JSON: {"layers": [...], "float_layers": [...],
  /// "attention": [...], "constants": [...], "generation": "...", "head":
  /// "...", "totals": {...}}; no "generation" and "head" where the model is no
  /// language model.
  void printJson(llvm::raw_ostream &os) const;

private:
  class Listener;

  /// How the weights of a product were packed.
  struct Packing {
    std::string layout;
    std::string choice; ///< why that layout; empty if it was asked for
    int64_t bytes = 0;  ///< of all layers whose product it is
  };

  /// Gives the layers of a product their shares of its bytes, by their rows.
  static void addPacking(const Packing &packing,
                         llvm::ArrayRef<TernaryLayer *> product);

  std::vector<TernaryLayer> layers;
  std::vector<Packing> packings;
  llvm::DenseMap<mlir::Attribute, size_t> packingOf; ///< by the layers' nodes
  std::vector<FloatLayer> floats;
  /// Attention that is computed as the graph spells it out, or with a mask of a
  /// number for each query and key.
  std::vector<NodeNote> attentions;
  /// Constants that each run computes, as they are too large.
  std::vector<NodeNote> constants;
  std::string generation; ///< empty unless the model is a language model
  std::string head;       ///< empty unless the model has a step
};

} // namespace tern

#endif // TERN_LIB_DRIVER_REPORT_H
