//===- DeriveStep.cpp - generation with the KV cache in place -------------===//

#include "tern/Dialect/Onnx/Transforms/Passes.h"
#include "tern/Dialect/Onnx/Transforms/RaiseAttention.h"

#include "CachePlan.h"
#include "DerivedCaches.h"
#include "InPlaceCaches.h"
#include "KVStorage.h"
#include "StepFunction.h"
#include "TableLimit.h"

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace tern::onnx {
#define GEN_PASS_DEF_DERIVESTEP
#include "tern/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace tern::onnx

using namespace mlir;
using namespace tern::onnx;

// The context is bounded by the tables.
static constexpr RaiseAttentionOptions kOptions = {/*foldPast=*/true,
                                                   /*tablesSuffice=*/true};

namespace {

struct DeriveStepPass : tern::onnx::impl::DeriveStepBase<DeriveStepPass> {
  using Base::Base;

  void runOnOperation() override {
    auto graph = getOperation().lookupSymbol<func::FuncOp>("main");
    std::optional<KVStorage> asked = parseKVStorage(kvCache);
    if (!asked) {
      emitError(getOperation().getLoc())
          << "found kv-cache '" << kvCache << "'; expected model, f16 or i8";
      return signalPassFailure();
    }
    storage = *asked;
    if (!graph || getOperation().lookupSymbol("step"))
      return;
    std::optional<LanguageModel> model = findLanguageModel(graph);
    if (!model)
      return;
    std::optional<TableLimit> limit = findTableLimit(graph, *model);
    setContext(limit);
    std::optional<Refusal> refusal = derive(graph, *model);
    if (limit && limit->positions < context &&
        generatesText(*model, refusal.has_value())) {
      refuseContext(*limit);
      return signalPassFailure();
    }
    if (refusal)
      emitWarning(refusal->location)
          << describeConsequence(*model) << ": " << refusal->reason;
    else if (storage != KVStorage::Model && !isShortened)
      emitWarning(graph.getLoc())
          << "the KV cache stays as the graph has it: found no longer keys or "
             "values that attention alone reads; expected some to store in "
          << getStorageName(storage);
    getOperation()->setAttr(
        "onnx.generation",
        StringAttr::get(&getContext(), describeGeneration(*model, refusal)));
  }

private:
  /// Decides how many positions a sequence may have: no more than there are
  /// rows in the model's tables.
  void setContext(const std::optional<TableLimit> &limit) {
    length = getContextLength(getOperation(), context);
    if (limit)
      length = std::min(length, limit->positions);
    getOperation()->setAttr("onnx.context",
                            Builder(&getContext()).getI64IntegerAttr(length));
  }

  void refuseContext(const TableLimit &limit) {
    emitError(limit.location)
        << limit.reader << ": found a context of " << context.getValue()
        << "; expected at most " << limit.positions
        << ", the positions in its table";
  }

  /// Adds `step`, or says why it cannot be.
  std::optional<Refusal> derive(func::FuncOp graph,
                                const LanguageModel &model) {
    if (std::optional<Refusal> refusal = checkArguments(graph, model))
      return refusal;
    func::FuncOp copy = graph.clone();
    copy.setSymName("step");
    // So that results which only say "the cache was updated" may be dropped.
    copy.setPrivate();
    getOperation().push_back(copy);
    std::optional<Refusal> refusal = model.caches.empty()
                                         ? deriveCaches(copy, model)
                                         : keepCaches(copy, model);
    if (refusal)
      copy.erase();
    return refusal;
  }

  /// Makes `copy` the step of a graph with a cache.
  std::optional<Refusal> keepCaches(func::FuncOp copy, LanguageModel model) {
    raiseAttention(copy, getAssumptions(copy, model), kOptions);
    // A cache may have another form now.
    if (std::optional<LanguageModel> raised = findLanguageModel(copy))
      model.caches = raised->caches;
    SmallVector<RankedTensorType> types;
    if (std::optional<Refusal> refusal = planCaches(copy, model, length, types))
      return refusal;
    for (auto [kv, type] : llvm::zip_equal(model.caches, types))
      if ((kv.form == CacheForm::Attention ||
           kv.form == CacheForm::GroupQueryAttention) &&
          isReadByAttentionAlone(copy, kv))
        shorten(type);
    StepFunction step(copy, model);
    SmallVector<Value> updated = putCachesInPlace(step, model, types);
    step.finish(sliceLogits(step, model.logits, model.vocab), updated);
    return std::nullopt;
  }

  /// Makes `copy` the step of a graph without a cache.
  std::optional<Refusal> deriveCaches(func::FuncOp copy,
                                      const LanguageModel &model) {
    restrictToLogits(copy, model);
    GraphAssumptions assumptions = getAssumptions(copy, model);
    raiseAttention(copy, assumptions, kOptions);
    SymbolicEvaluator evaluator(copy, assumptions);
    TokenwiseAnalysis analysis(copy, model, evaluator);
    if (analysis.getRefusal())
      return analysis.getRefusal();
    SmallVector<RankedTensorType> types;
    if (std::optional<Refusal> refusal =
            planDerivedCaches(analysis, evaluator, length, types))
      return refusal;
    llvm::for_each(types, [&](RankedTensorType &type) { shorten(type); });
    StepFunction step(copy, model);
    SmallVector<Value> updated = addCaches(step, analysis, types);
    step.finish(sliceLogits(step, /*index=*/0, model.vocab), updated);
    return std::nullopt;
  }

  /// Makes `type`, of a buffer of keys or values that attention alone reads,
  /// what is asked for.
  void shorten(RankedTensorType &type) {
    RankedTensorType stored = getStoredType(type, storage);
    isShortened |= stored != type;
    type = stored;
  }

  /// What a report says.
  std::string describeGeneration(const LanguageModel &model,
                                 const std::optional<Refusal> &refusal) const {
    if (refusal)
      return (describeConsequence(model) + ": " + refusal->reason).str();
    StringRef whose = model.caches.empty()
                          ? "a KV cache that the graph does not have"
                          : "the graph's KV cache";
    return ("generation appends in place to " + whose +
            (isShortened ? ", in " + getStorageName(storage) : ""))
        .str();
  }

  /// Whether the context matters: arrays are as long as their user makes them.
  static bool generatesText(const LanguageModel &model, bool isStepRefused) {
    return !isStepRefused || (model.unknown.empty() && model.runsWithoutStep());
  }

  static StringRef describeConsequence(const LanguageModel &model) {
    if (!generatesText(model, /*isStepRefused=*/true))
      return "the model does not generate text by itself";
    return model.caches.empty()
               ? "generation recomputes the whole sequence for each token"
               : "generation passes its KV cache through every call";
  }

  int64_t length = 0; ///< of the caches, in positions
  KVStorage storage = KVStorage::Model;
  bool isShortened = false; ///< a cache is stored in fewer bits than computed
};
} // namespace
