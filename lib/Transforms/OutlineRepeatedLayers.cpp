//===- OutlineRepeatedLayers.cpp - one function for all equal layers ------===//
//
//   %a = "layer"(%x, %w0)                 func.func private @f_layer(%x, %w)
//   %b = "layer"(%a, %w1)         ==>
//   %c = "layer"(%b, %w2)                 %a = call @f_layer(%x, %w0)
//                                         %b = call @f_layer(%a, %w1)
//                                         %c = call @f_layer(%b, %w2)
//
// A layer is whatever is repeated: a stretch of operations that, put in the
// order that the dataflow determines, is followed by operations that do the
// same. No name is looked at.
//
//===----------------------------------------------------------------------===//

#include "tern/Transforms/Passes.h"

#include "DataflowOrder.h"
#include "Repetition.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

namespace tern {
#define GEN_PASS_DEF_OUTLINEREPEATEDLAYERS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;
using namespace tern;

namespace {

/// Operations of a layer, in order.
using Layer = ArrayRef<Operation *>;

/// Layers longer than this are not looked for: the search takes time
/// proportional to it. A layer of a language model has around 100 operations,
/// and a group of unequal layers a few times as many.
constexpr size_t kMaxLayerOperations = 4096;

//===----------------------------------------------------------------------===//
// Preparation
//===----------------------------------------------------------------------===//

/// True if the order of the function's operations is that of its values, and
/// of its assertions.
bool isReorderable(func::FuncOp function) {
  return function.getBody().hasOneBlock() &&
         llvm::all_of(function.front().without_terminator(), [](Operation &op) {
           return isa<cf::AssertOp>(op) || isMemoryEffectFree(&op);
         });
}

/// True for a tensor without contents, or of one value, as which a reduction
/// starts: less than an argument that would hand it to a function.
bool isInitializer(Operation *op) {
  if (isa<tensor::EmptyOp>(op))
    return true;
  auto generic = dyn_cast<linalg::GenericOp>(op);
  return generic && generic.getInputs().empty() &&
         generic.getOutputs().size() == 1 &&
         generic.getOutputs()[0].getDefiningOp<tensor::EmptyOp>() &&
         llvm::hasSingleElement(*generic.getBlock()) &&
         matchPattern(generic.getBlock()->getTerminator()->getOperand(0),
                      m_Constant());
}

/// Gives every operation its own copies of the initializers it uses: shared by
/// all layers, they belong to none.
void copyInitializers(Block &block) {
  SmallVector<Operation *> users(
      llvm::make_pointer_range(block.without_terminator()));
  for (Operation *user : llvm::reverse(users))
    for (OpOperand &operand : user->getOpOperands()) {
      Operation *producer = operand.get().getDefiningOp();
      if (!producer || !isInitializer(producer) || producer->hasOneUse())
        continue;
      Operation *copy = OpBuilder(user).clone(*producer);
      operand.set(copy->getResult(0));
      // A copied fill has an empty tensor to copy in turn.
      for (OpOperand &start : copy->getOpOperands())
        if (auto empty = start.get().getDefiningOp<tensor::EmptyOp>())
          start.set(OpBuilder(copy).clone(*empty)->getResult(0));
    }
}

//===----------------------------------------------------------------------===//
// Search
//===----------------------------------------------------------------------===//

SmallVector<llvm::hash_code> hashAll(ArrayRef<Operation *> order) {
  SmallVector<llvm::hash_code> hashes;
  for (Operation *op : order)
    hashes.push_back(hashStructure(op));
  return hashes;
}

/// Values that the operations of a run and their counterparts share, such as a
/// mask or tables of a rotary embedding.
SmallVector<Value> findShared(ArrayRef<Operation *> order, Run run) {
  llvm::SetVector<Value> shared;
  for (size_t i = run.begin, e = run.begin + run.matches; i < e; ++i) {
    SmallVector<Value> operands = getOuterOperands(order[i]);
    SmallVector<Value> others = getOuterOperands(order[i + run.period]);
    for (auto [operand, other] : llvm::zip(operands, others))
      if (operand == other && operand.getDefiningOp() &&
          !isConstant(operand.getDefiningOp()))
        shared.insert(operand);
  }
  return shared.takeVector();
}

/// For each position in `order`, how many operations before it have results
/// that are used at or after it.
SmallVector<unsigned> countLiveValues(ArrayRef<Operation *> order) {
  llvm::DenseMap<Operation *, size_t> positions;
  for (auto [position, op] : llvm::enumerate(order))
    positions[op] = position;
  SmallVector<int> changes(order.size() + 1, 0);
  Block *block = order.front()->getBlock();
  for (auto [position, op] : llvm::enumerate(order)) {
    size_t last = position;
    for (Operation *user : op->getUsers()) {
      auto it = positions.find(block->findAncestorOpInBlock(*user));
      last = std::max(last, it == positions.end() ? order.size() : it->second);
    }
    // Live at the positions after its own, up to its last use.
    if (last > position) {
      ++changes[position + 1];
      if (last < order.size())
        --changes[last + 1];
    }
  }
  SmallVector<unsigned> live;
  int count = 0;
  for (int change : changes)
    live.push_back(count += change);
  return live;
}

/// The first of the places at which layers of the run may begin that has the
/// fewest values cross from one layer to the next.
size_t chooseBegin(ArrayRef<Operation *> order, Run run) {
  SmallVector<unsigned> live = countLiveValues(order);
  size_t slack = run.matches % run.period, best = run.begin;
  for (size_t begin = run.begin; begin <= run.begin + slack; ++begin)
    if (live[begin + run.period] < live[best + run.period])
      best = begin;
  return best;
}

/// The longest sequence of adjacent layers of a run that are isomorphic.
SmallVector<Layer> findLayers(ArrayRef<Operation *> order, Run run) {
  size_t begin = chooseBegin(order, run);
  SmallVector<Layer> all;
  for (size_t i = 0; i < run.getCount(); ++i)
    all.push_back(order.slice(begin + i * run.period, run.period));
  ArrayRef<Layer> best;
  for (size_t first = 0; first < all.size();) {
    size_t end = first + 1;
    while (end < all.size() && areIsomorphic(all[first], all[end]))
      ++end;
    if (end - first > best.size())
      best = ArrayRef(all).slice(first, end - first);
    first = end;
  }
  return SmallVector<Layer>(best);
}

//===----------------------------------------------------------------------===//
// Outlining
//===----------------------------------------------------------------------===//

/// One value for each layer: what the layers have at the same place.
using Counterparts = SmallVector<Value>;

/// True if the values are constants, and equal.
bool areSameConstant(ArrayRef<Value> values) {
  Attribute first;
  return matchPattern(values.front(), m_Constant(&first)) &&
         llvm::all_of(values.drop_front(), [&](Value value) {
           Attribute other;
           return matchPattern(value, m_Constant(&other)) && other == first;
         });
}

/// Makes one function of isomorphic layers, and calls it.
class Outliner {
public:
  Outliner(func::FuncOp function, ArrayRef<Layer> layers)
      : function(function), layers(layers) {}

  void outline(SymbolTable &symbols);

private:
  /// Finds what goes in: values from outside that are not the same constant.
  void collectArguments();
  /// Finds what goes out: results that are used outside of their layer.
  void collectResults();
  func::FuncOp createCallee(SymbolTable &symbols);
  /// Replaces the layer of this number by a call.
  void replaceByCall(size_t number, func::FuncOp callee);

  func::FuncOp function;
  ArrayRef<Layer> layers;
  SmallVector<Counterparts> arguments;
  /// The argument that a use of the first layer reads. Two uses of one value
  /// may read different ones: equal scales of the first layer, say.
  llvm::DenseMap<OpOperand *, size_t> argumentOf;
  /// Constants of the first layer that all others have as well.
  llvm::SetVector<Operation *> constants;
  /// Results by operation and number.
  SmallVector<std::pair<size_t, unsigned>> results;
  /// Results of replaced layers.
  IRMapping replaced;
};

} // namespace

void Outliner::collectArguments() {
  llvm::DenseSet<Operation *> inside(layers[0].begin(), layers[0].end());
  // By the value of the first layer, of which few have several.
  llvm::DenseMap<Value, SmallVector<size_t>> known;
  for (size_t position = 0; position < layers[0].size(); ++position) {
    SmallVector<SmallVector<OpOperand *>> uses;
    for (Layer layer : layers)
      uses.push_back(getOuterUses(layer[position]));
    for (auto [number, use] : llvm::enumerate(uses[0])) {
      Operation *producer = use->get().getDefiningOp();
      if (inside.contains(producer))
        continue;
      Counterparts counterparts;
      for (ArrayRef<OpOperand *> layerUses : uses)
        counterparts.push_back(layerUses[number]->get());
      if (areSameConstant(counterparts)) {
        constants.insert(producer);
        continue;
      }
      SmallVector<size_t> &candidates = known[use->get()];
      auto *found = llvm::find_if(candidates, [&](size_t index) {
        return arguments[index] == counterparts;
      });
      if (found == candidates.end()) {
        found = candidates.insert(found, arguments.size());
        arguments.push_back(std::move(counterparts));
      }
      argumentOf[use] = *found;
    }
  }
}

void Outliner::collectResults() {
  llvm::SetVector<std::pair<size_t, unsigned>> escaping;
  Block &block = function.front();
  for (Layer layer : layers) {
    llvm::DenseSet<Operation *> inside(layer.begin(), layer.end());
    for (auto [position, op] : llvm::enumerate(layer))
      for (OpResult result : op->getResults())
        if (llvm::any_of(result.getUsers(), [&](Operation *user) {
              return !inside.contains(block.findAncestorOpInBlock(*user));
            }))
          escaping.insert({position, result.getResultNumber()});
  }
  results = escaping.takeVector();
  llvm::sort(results);
}

func::FuncOp Outliner::createCallee(SymbolTable &symbols) {
  SmallVector<Type> argumentTypes, resultTypes;
  for (const Counterparts &argument : arguments)
    argumentTypes.push_back(argument.front().getType());
  for (auto [position, number] : results)
    resultTypes.push_back(layers[0][position]->getResult(number).getType());

  OpBuilder b(function.getContext());
  auto callee = func::FuncOp::create(
      b, layers[0].front()->getLoc(), (function.getSymName() + "_layer").str(),
      b.getFunctionType(argumentTypes, resultTypes));
  callee.setPrivate();
  // Before its caller: results that are updated arguments are dropped in the
  // order of the functions.
  symbols.insert(callee, Block::iterator(function));
  // What a layer may write into is for its callers to say.
  for (auto [index, type] : llvm::enumerate(argumentTypes))
    if (isa<TensorType>(type))
      callee.setArgAttr(index,
                        bufferization::BufferizationDialect::kWritableAttrName,
                        b.getBoolAttr(true));

  b.setInsertionPointToStart(callee.addEntryBlock());
  IRMapping mapping;
  for (Operation *constant : constants)
    b.clone(*constant, mapping);
  for (Operation *op : layers[0]) {
    Operation *copy = b.clone(*op);
    mapping.map(op->getResults(), copy->getResults());
    for (auto [use, copiedUse] :
         llvm::zip_equal(getOuterUses(op), getOuterUses(copy))) {
      auto it = argumentOf.find(use);
      copiedUse->set(it == argumentOf.end() ? mapping.lookup(use->get())
                                            : callee.getArgument(it->second));
    }
  }
  SmallVector<Value> returned;
  for (auto [position, number] : results)
    returned.push_back(mapping.lookup(layers[0][position]->getResult(number)));
  func::ReturnOp::create(b, callee.getLoc(), returned);
  return callee;
}

void Outliner::replaceByCall(size_t number, func::FuncOp callee) {
  Layer layer = layers[number];
  OpBuilder b(layer.front());
  SmallVector<Value> operands;
  for (const Counterparts &argument : arguments)
    operands.push_back(replaced.lookupOrDefault(argument[number]));
  auto call =
      func::CallOp::create(b, layer.front()->getLoc(), callee, operands);
  for (auto [result, value] : llvm::zip_equal(results, call.getResults())) {
    Value old = layer[result.first]->getResult(result.second);
    replaced.map(old, value);
    old.replaceAllUsesWith(value);
  }
  for (Operation *op : llvm::reverse(layer))
    op->erase();
}

void Outliner::outline(SymbolTable &symbols) {
  collectArguments();
  collectResults();
  func::FuncOp callee = createCallee(symbols);
  for (size_t number = 0; number < layers.size(); ++number)
    replaceByCall(number, callee);
}

//===----------------------------------------------------------------------===//
// Pass
//===----------------------------------------------------------------------===//

namespace {
struct OutlineRepeatedLayersPass
    : tern::impl::OutlineRepeatedLayersBase<OutlineRepeatedLayersPass> {
  using Base::Base;

  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    for (auto function :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      if (function.isExternal() || !isReorderable(function))
        continue;
      copyInitializers(function.front());
      // A model may have several kinds of layers, one after the other.
      while (outlineOnce(function, symbols)) {
      }
    }
  }

private:
  /// Outlines what is repeated most. Returns false if nothing is.
  bool outlineOnce(func::FuncOp function, SymbolTable &symbols) {
    Block &block = function.front();
    SmallVector<Operation *> order = getDataflowOrder(block, {});
    // What the layers share stands in the first of them, unless it is known to
    // belong before all.
    Run longest = findLongestRun(hashAll(order), kMaxLayerOperations);
    if (longest.matches < minOperations)
      return false;
    order = getDataflowOrder(block, findShared(order, longest));
    Run run = findBestRepetition(hashAll(order), kMaxLayerOperations);
    if (run.getSaving() < minOperations)
      return false;
    SmallVector<Layer> layers = findLayers(order, run);
    if ((layers.size() - 1) * run.period < minOperations)
      return false;
    applyOrder(block, order);
    Outliner(function, layers).outline(symbols);
    return true;
  }

  static void applyOrder(Block &block, ArrayRef<Operation *> order) {
    for (Operation *op : order)
      op->moveBefore(block.getTerminator());
  }
};
} // namespace
