//===- OutlineParallelLoops.cpp - scf.parallel to the host's threads ------===//
//
// A loop
//
//   scf.parallel (%i, %j) = (%c0, %c0) to (%m, %n) step (%c1, %c1) { body }
//
// becomes a function of a range of its flattened iterations
//
//   func @f_parallel_0(%host, %context, %begin, %end) {
//     scf.for %t = %begin to %end { %i, %j = delinearize %t; body }
//   }
//
// Values that the body uses travel in a struct on the caller's stack. The
// layers of a model have the same loops, so equal bodies become one function: a
// model of 30 layers costs the code generator what one layer does.
//
//===----------------------------------------------------------------------===//

#include "tern/Transforms/Passes.h"

#include "AssertLowering.h"
#include "BufferLowering.h"
#include "FetchLowering.h"
#include "HostFunction.h"
#include "IndependentLoop.h"
#include "KernelNames.h"
#include "MemRefCasts.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/Support/MathExtras.h"

namespace tern {
#define GEN_PASS_DEF_OUTLINEPARALLELLOOPS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

namespace {

/// Iterations that belong together: enough of the innermost loop for vector
/// code to pay.
constexpr int64_t kInnerChunk = 64;

/// The constant that `value` holds, if it is one.
std::optional<int64_t> getConstant(Value value) {
  return getConstantIntValue(OpFoldResult(value));
}

/// What an operation costs, in units of one on an element. LLVM makes vectors
/// of loops over elements, if less well than those that are vectors here.
uint64_t estimateCost(Operation &op) {
  constexpr uint64_t kFunction = 16, kCall = 8192;
  // The host reads a row of a file, say. Other calls are those of failures and
  // for memory.
  if (auto call = dyn_cast<LLVM::CallOp>(op); call && !call.getCallee())
    return kCall;
  // Whatever the elements are, 16 bytes and more are moved at a time.
  if (auto copy = dyn_cast<memref::CopyOp>(op)) {
    auto type = dyn_cast<MemRefType>(copy.getSource().getType());
    return type && type.hasStaticShape() && type.getElementType().isIntOrFloat()
               ? 1 + type.getNumElements() * type.getElementTypeBitWidth() / 128
               : kInnerChunk;
  }
  uint64_t cost =
      isa_and_nonnull<math::MathDialect>(op.getDialect()) ? kFunction : 1;
  auto halve = [](Type type) -> int64_t {
    auto vector = dyn_cast<VectorType>(type);
    return vector ? std::max<int64_t>(1, vector.getNumElements() / 2) : 1;
  };
  int64_t elements = 1;
  for (Type type : op.getResultTypes())
    elements = std::max(elements, halve(type));
  for (Type type : op.getOperandTypes())
    elements = std::max(elements, halve(type));
  return cost * elements;
}

/// A rough count of the operations that one run of `block` executes: inner
/// loops of unknown length count as kInnerChunk iterations.
uint64_t estimateWork(Block &block) {
  uint64_t work = 0;
  for (Operation &op : block) {
    uint64_t inner = estimateCost(op);
    for (Region &region : op.getRegions())
      for (Block &nested : region)
        inner = llvm::SaturatingAdd(inner, estimateWork(nested));
    auto scale = [&](Value lower, Value upper, Value step) {
      auto l = getConstant(lower), u = getConstant(upper),
           s = getConstant(step);
      uint64_t trips =
          l && u && s && *s > 0
              ? std::max<int64_t>(llvm::divideCeilSigned(*u - *l, *s), 0)
              : kInnerChunk;
      inner = llvm::SaturatingMultiply(inner, trips);
    };
    if (auto loop = dyn_cast<scf::ForOp>(op))
      scale(loop.getLowerBound(), loop.getUpperBound(), loop.getStep());
    if (auto loop = dyn_cast<scf::ParallelOp>(op))
      for (auto [l, u, s] : llvm::zip(loop.getLowerBound(),
                                      loop.getUpperBound(), loop.getStep()))
        scale(l, u, s);
    work = llvm::SaturatingAdd(work, inner);
  }
  return work;
}

/// Whether the innermost dimension is cut into chunks of kInnerChunk: all but a
/// one-dimensional loop whose every iteration is work enough.
bool isInnermostCut(scf::ParallelOp loop) {
  return loop.getNumLoops() > 1 || estimateWork(*loop.getBody()) < kInnerChunk;
}

/// The outlined functions of a module, all different.
using BodyTable = SmallVector<func::FuncOp>;

/// Outlines the loops of one function.
class Outliner {
public:
  Outliner(func::FuncOp function, int64_t minWork, BodyTable &bodies,
           tern::KernelNames &names)
      : b(function.getLoc(), function.getContext()), function(function),
        minWork(minWork), bodies(bodies), names(names),
        converter(function.getContext()),
        pointer(LLVM::LLVMPointerType::get(function.getContext())) {}

  LogicalResult outline(scf::ParallelOp loop);

private:
  /// Fails with a message for what a range of iterations cannot do.
  LogicalResult check(scf::ParallelOp loop, ArrayRef<Value> used);
  /// Makes the body's function, or finds an equal one. `context` is the struct
  /// of what the body uses.
  func::FuncOp createBody(scf::ParallelOp loop, ArrayRef<Value> captured,
                          LLVM::LLVMStructType context);
  /// Inside the body's function: the loop over [begin, end).
  void emitIterations(scf::ParallelOp loop, IRMapping &mapping, Value begin,
                      Value end);
  /// One iteration: `indices` counts them in each dimension.
  void emitBody(scf::ParallelOp loop, IRMapping &mapping, ValueRange indices);
  /// The number of iterations of each dimension.
  SmallVector<Value> emitTripCounts(scf::ParallelOp loop,
                                    const IRMapping &mapping);
  /// The fields of the struct that stand for `value`: for a memref of the
  /// identity layout its pointer and dynamic sizes, which is most of them, and
  /// a third of a descriptor's words; else its form in the LLVM dialect.
  SmallVector<Type> getFieldTypes(Value value);
  SmallVector<Value> emitFields(Value value);
  Value rebuild(Type type, ValueRange fields);
  /// Fills the struct at the call site; returns its address.
  Value emitContext(ArrayRef<Value> captured, LLVM::LLVMStructType context);
  /// Calls the body for all iterations, on many threads if there is much to do.
  void emitDispatch(func::FuncOp body, Value context, Value count,
                    uint64_t workPerIteration);

  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }

  ImplicitLocOpBuilder b;
  func::FuncOp function;
  int64_t minWork;
  BodyTable &bodies;
  tern::KernelNames &names;
  LLVMTypeConverter converter;
  Type pointer;
};

/// Gives `function` an attribute of LLVM's.
void addPassthrough(func::FuncOp function, StringRef name) {
  Builder b(function.getContext());
  SmallVector<Attribute> names;
  if (auto present = function->getAttrOfType<ArrayAttr>("passthrough"))
    llvm::append_range(names, present);
  names.push_back(b.getStringAttr(name));
  function->setAttr("passthrough", b.getArrayAttr(names));
}

/// Returns the function of the table that equals `body`, which it erases, or
/// `body` itself, which it adds.
func::FuncOp unique(func::FuncOp body, BodyTable &bodies) {
  for (func::FuncOp other : bodies)
    if (OperationEquivalence::isRegionEquivalentTo(
            &body.getBody(), &other.getBody(),
            OperationEquivalence::IgnoreLocations)) {
      body.erase();
      return other;
    }
  bodies.push_back(body);
  return body;
}

SmallVector<Value> Outliner::emitTripCounts(scf::ParallelOp loop,
                                            const IRMapping &mapping) {
  SmallVector<Value> counts;
  for (auto [lower, upper, step] :
       llvm::zip(loop.getLowerBound(), loop.getUpperBound(), loop.getStep())) {
    Value span = b.createOrFold<arith::SubIOp>(mapping.lookupOrDefault(upper),
                                               mapping.lookupOrDefault(lower));
    Value count =
        b.createOrFold<arith::CeilDivSIOp>(span, mapping.lookupOrDefault(step));
    // Two counts below zero would make a product above it.
    if (!matchPattern(lower, m_Zero()))
      count = b.createOrFold<arith::MaxSIOp>(count, constant(0));
    counts.push_back(count);
  }
  return counts;
}

void Outliner::emitIterations(scf::ParallelOp loop, IRMapping &mapping,
                              Value begin, Value end) {
  if (loop.getNumLoops() == 1 && !isInnermostCut(loop)) {
    auto iterations = scf::ForOp::create(b, begin, end, constant(1));
    iterations->setAttr(tern::kIndependentLoop, b.getUnitAttr());
    b.setInsertionPointToStart(iterations.getBody());
    return emitBody(loop, mapping, iterations.getInductionVar());
  }
  SmallVector<Value> counts = emitTripCounts(loop, mapping);
  unsigned last = counts.size() - 1;
  // The innermost dimension may be cut into chunks; the others are flattened.
  Value chunk = constant(isInnermostCut(loop) ? kInnerChunk : 1);
  Value chunks = b.createOrFold<arith::CeilDivSIOp>(counts[last], chunk);

  auto outer = scf::ForOp::create(b, begin, end, constant(1));
  b.setInsertionPointToStart(outer.getBody());
  Value rest = outer.getInductionVar();
  SmallVector<Value> indices(counts.size());
  Value position = arith::RemUIOp::create(b, rest, chunks);
  rest = arith::DivUIOp::create(b, rest, chunks);
  Value innerBegin = arith::MulIOp::create(b, position, chunk);
  Value innerEnd = arith::MinSIOp::create(
      b, arith::AddIOp::create(b, innerBegin, chunk), counts[last]);
  for (int64_t dim = int64_t(last) - 1; dim >= 0; --dim) {
    indices[dim] = arith::RemUIOp::create(b, rest, counts[dim]);
    rest = arith::DivUIOp::create(b, rest, counts[dim]);
  }
  auto inner = scf::ForOp::create(b, innerBegin, innerEnd, constant(1));
  b.setInsertionPointToStart(inner.getBody());
  indices[last] = inner.getInductionVar();
  emitBody(loop, mapping, indices);
}

void Outliner::emitBody(scf::ParallelOp loop, IRMapping &mapping,
                        ValueRange indices) {
  for (auto [dim, index] : llvm::enumerate(indices)) {
    Value scaled = b.createOrFold<arith::MulIOp>(
        index, mapping.lookupOrDefault(loop.getStep()[dim]));
    mapping.map(
        loop.getInductionVars()[dim],
        b.createOrFold<arith::AddIOp>(
            scaled, mapping.lookupOrDefault(loop.getLowerBound()[dim])));
  }
  for (Operation &op : loop.getBody()->without_terminator())
    b.clone(op, mapping);
}

func::FuncOp Outliner::createBody(scf::ParallelOp loop,
                                  ArrayRef<Value> captured,
                                  LLVM::LLVMStructType context) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(function);
  Type i64 = b.getI64Type();
  auto body = func::FuncOp::create(
      b, (function.getSymName() + "_parallel_" + Twine(bodies.size())).str(),
      b.getFunctionType({pointer, i64, i64}, {}));
  body.setPrivate();
  // Every layer calls it: a copy for each would undo the sharing.
  addPassthrough(body, "noinline");
  b.setInsertionPointToStart(body.addEntryBlock());

  IRMapping mapping;
  int32_t next = 0;
  auto loadField = [&] {
    Value address =
        LLVM::GEPOp::create(b, pointer, context, body.getArgument(0),
                            ArrayRef<LLVM::GEPArg>{0, next});
    return LLVM::LoadOp::create(b, context.getBody()[next++], address)
        .getResult();
  };
  for (Value value : captured) {
    SmallVector<Value> fields;
    for (size_t i = 0, e = getFieldTypes(value).size(); i < e; ++i)
      fields.push_back(loadField());
    mapping.map(value, rebuild(value.getType(), fields));
  }
  // Constants are cheaper made anew than carried along.
  llvm::SetVector<Value> used;
  getUsedValuesDefinedAbove(loop->getRegions(), used);
  used.insert(loop->operand_begin(), loop->operand_end());
  for (Value value : used)
    if (matchPattern(value, m_Constant()))
      mapping.map(value, b.clone(*value.getDefiningOp())->getResult(0));

  Value begin =
      arith::IndexCastOp::create(b, b.getIndexType(), body.getArgument(1));
  Value end =
      arith::IndexCastOp::create(b, b.getIndexType(), body.getArgument(2));
  emitIterations(loop, mapping, begin, end);
  b.setInsertionPointToEnd(&body.front());
  func::ReturnOp::create(b);
  return unique(body, bodies);
}

/// `type` as a memref of the identity layout, or null.
static MemRefType getPlainMemRef(Type type) {
  auto memref = dyn_cast<MemRefType>(type);
  return memref && memref.getLayout().isIdentity() ? memref : MemRefType();
}

SmallVector<Type> Outliner::getFieldTypes(Value value) {
  MemRefType memref = getPlainMemRef(value.getType());
  if (!memref)
    return {converter.convertType(value.getType())};
  SmallVector<Type> types(1 + memref.getNumDynamicDims(), b.getI64Type());
  types[0] = pointer;
  return types;
}

SmallVector<Value> Outliner::emitFields(Value value) {
  MemRefType memref = getPlainMemRef(value.getType());
  if (!memref && converter.convertType(value.getType()) == value.getType())
    return {value};
  Value converted = tern::convertToLLVM(b, converter, value);
  if (!memref)
    return {converted};
  MemRefDescriptor descriptor(converted);
  SmallVector<Value> fields = {descriptor.alignedPtr(b, b.getLoc())};
  for (int64_t dim = 0; dim < memref.getRank(); ++dim)
    if (memref.isDynamicDim(dim))
      fields.push_back(descriptor.size(b, b.getLoc(), dim));
  return fields;
}

Value Outliner::rebuild(Type type, ValueRange fields) {
  if (MemRefType memref = getPlainMemRef(type))
    return tern::createMemRef(b, converter, memref, fields[0],
                              fields.drop_front());
  if (fields[0].getType() == type)
    return fields[0];
  return UnrealizedConversionCastOp::create(b, type, fields[0]).getResult(0);
}

Value Outliner::emitContext(ArrayRef<Value> captured,
                            LLVM::LLVMStructType context) {
  // On the stack of the function, not of an iteration around the loop.
  Value storage;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&function.front());
    Value one = LLVM::ConstantOp::create(b, b.getI64IntegerAttr(1));
    storage = LLVM::AllocaOp::create(b, pointer, context, one);
  }
  int32_t next = 0;
  for (Value value : captured)
    for (Value field : emitFields(value)) {
      Value address = LLVM::GEPOp::create(b, pointer, context, storage,
                                          ArrayRef<LLVM::GEPArg>{0, next++});
      LLVM::StoreOp::create(b, field, address);
    }
  return storage;
}

void Outliner::emitDispatch(func::FuncOp body, Value context, Value count,
                            uint64_t workPerIteration) {
  int64_t least = std::max<int64_t>(
      2, llvm::divideCeil(minWork, std::max<uint64_t>(workPerIteration, 1)));
  Value parallel = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, count,
                                         constant(least));
  Type i64 = b.getI64Type();
  Value count64 = arith::IndexCastOp::create(b, i64, count);
  auto branch = scf::IfOp::create(b, parallel, /*withElseRegion=*/true);

  b.setInsertionPointToStart(branch.thenBlock());
  tern::HostFunction parallelFor = tern::loadHostFunction(
      b, function.getArgument(0), tern::HostField::ParallelFor);
  Value address = func::ConstantOp::create(
      b, body.getFunctionType(), FlatSymbolRefAttr::get(body.getSymNameAttr()));
  address =
      UnrealizedConversionCastOp::create(b, pointer, address).getResult(0);
  auto type =
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                  {pointer, i64, pointer, pointer});
  LLVM::CallOp::create(b, type,
                       ValueRange{parallelFor.address, parallelFor.self,
                                  count64, address, context});

  b.setInsertionPointToStart(branch.elseBlock());
  Value zero = arith::ConstantIntOp::create(b, 0, 64);
  func::CallOp::create(b, body, ValueRange{context, zero, count64});
}

LogicalResult Outliner::check(scf::ParallelOp loop, ArrayRef<Value> used) {
  if (loop.getNumResults() != 0)
    return loop.emitOpError("has ")
           << loop.getNumResults()
           << " results; expected none, a range of iterations having no way "
              "to combine them";
  for (Value value : used)
    if (!converter.convertType(value.getType()))
      return loop.emitOpError("uses a value of type ")
             << value.getType()
             << "; expected types of the LLVM dialect and memrefs";
  return success();
}

LogicalResult Outliner::outline(scf::ParallelOp loop) {
  b.setLoc(loop.getLoc());
  b.setInsertionPoint(loop);
  llvm::SetVector<Value> used;
  getUsedValuesDefinedAbove(loop->getRegions(), used);
  used.insert(loop->operand_begin(), loop->operand_end());
  if (failed(check(loop, used.getArrayRef())))
    return failure();
  SmallVector<Value> captured;
  SmallVector<Type> fields;
  for (Value value : used) {
    if (matchPattern(value, m_Constant()))
      continue;
    captured.push_back(value);
    llvm::append_range(fields, getFieldTypes(value));
  }
  auto context = LLVM::LLVMStructType::getLiteral(b.getContext(), fields);
  func::FuncOp body = createBody(loop, captured, context);
  names.add(body, loop, function);

  SmallVector<Value> counts = emitTripCounts(loop, IRMapping());
  uint64_t work = estimateWork(*loop.getBody());
  Value count = counts.back();
  if (isInnermostCut(loop)) {
    count = b.createOrFold<arith::CeilDivSIOp>(count, constant(kInnerChunk));
    work = llvm::SaturatingMultiply(work, uint64_t(kInnerChunk));
  }
  for (Value outer : ArrayRef<Value>(counts).drop_back())
    count = b.createOrFold<arith::MulIOp>(count, outer);
  emitDispatch(body, emitContext(captured, context), count, work);
  loop.erase();
  return success();
}

struct OutlineParallelLoopsPass
    : tern::impl::OutlineParallelLoopsBase<OutlineParallelLoopsPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<func::FuncOp> functions;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal())
        functions.push_back(function);
    for (func::FuncOp function : functions)
      addHostArgument(function);
    // What generates text comes first: what it shares with the rest is its.
    bool hasStep = std::stable_partition(functions.begin(), functions.end(),
                                         [](func::FuncOp function) {
                                           return isPartOf(function, "step");
                                         }) != functions.begin();
    BodyTable bodies;
    tern::KernelNames names(getOperation());
    tern::AssertLowering asserts(getOperation());
    tern::BufferLowering buffers(getOperation());
    for (func::FuncOp function : functions) {
      passHostToCallees(function);
      asserts.lower(function);
      tern::lowerFetches(function);
      tern::lowerAnnouncements(function);
      buffers.lower(function);
      if (failed(outlineLoops(function, bodies, names)))
        return signalPassFailure();
    }
    names.annotate();
    hideFunctions();
    if (hasStep)
      shrinkGraph();
  }

private:
  /// True for the function of this name, and for what was outlined from it.
  static bool isPartOf(func::FuncOp function, StringRef name) {
    StringRef rest = function.getSymName();
    return rest.consume_front(name) && (rest.empty() || rest.front() == '_');
  }

  /// Where `step` generates the text, `main` only serves --inputs: it is held
  /// small, as it is a third of a small model's executable otherwise.
  void shrinkGraph() {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (isPartOf(function, "main"))
        for (StringRef name : {"minsize", "optsize"})
          addPassthrough(function, name);
  }

  /// Only entry points are seen from outside the object: without this a graph
  /// called `main` would be the program's.
  void hideFunctions() {
    auto internal =
        LLVM::LinkageAttr::get(&getContext(), LLVM::Linkage::Internal);
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && !function->hasAttr(tern::kEntryAttr))
        function->setAttr("llvm.linkage", internal);
  }

  /// Entry points have the host as their first argument; others get it.
  void addHostArgument(func::FuncOp function) {
    if (function->hasAttr(tern::kEntryAttr))
      return;
    auto pointer = LLVM::LLVMPointerType::get(&getContext());
    (void)function.insertArgument(0, pointer, {}, function.getLoc());
  }

  void passHostToCallees(func::FuncOp function) {
    function.walk([&](func::CallOp call) {
      auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
          call, call.getCalleeAttr());
      if (callee && !callee.isExternal())
        call->insertOperands(0, function.getArgument(0));
    });
  }

  LogicalResult outlineLoops(func::FuncOp function, BodyTable &bodies,
                             tern::KernelNames &names) {
    Outliner outliner(function, minWork, bodies, names);
    SmallVector<scf::ParallelOp> loops;
    function.walk<WalkOrder::PreOrder>([&](scf::ParallelOp loop) {
      loops.push_back(loop);
      return WalkResult::skip();
    });
    for (scf::ParallelOp loop : loops)
      if (failed(outliner.outline(loop)))
        return failure();
    return success();
  }
};
} // namespace
