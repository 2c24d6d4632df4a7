//===- DeriveStep.cpp - generation with the KV cache in place -------------===//

#include "tern/Dialect/Onnx/Transforms/Passes.h"
#include "tern/Dialect/Onnx/Transforms/RaiseAttention.h"

#include "CachePlan.h"
#include "DerivedCaches.h"
#include "InPlaceCaches.h"
#include "StepFunction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace tern::onnx {
#define GEN_PASS_DEF_DERIVESTEP
#include "tern/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace tern::onnx

using namespace mlir;
using namespace tern::onnx;

namespace {

struct DeriveStepPass : tern::onnx::impl::DeriveStepBase<DeriveStepPass> {
  using Base::Base;

  void runOnOperation() override {
    auto graph = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!graph || getOperation().lookupSymbol("step"))
      return;
    std::optional<LanguageModel> model = findLanguageModel(graph);
    if (!model)
      return;
    std::optional<Refusal> refusal = derive(graph, *model);
    if (refusal)
      emitWarning(refusal->location)
          << describeConsequence(*model) << ": " << refusal->reason;
    getOperation()->setAttr(
        "onnx.generation",
        StringAttr::get(&getContext(), describeGeneration(*model, refusal)));
  }

private:
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
    raiseAttention(copy, getAssumptions(copy, model));
    // A cache may have another form now.
    if (std::optional<LanguageModel> raised = findLanguageModel(copy))
      model.caches = raised->caches;
    SmallVector<RankedTensorType> types;
    if (std::optional<Refusal> refusal = planCaches(
            copy, model, getContextLength(getOperation(), context), types))
      return refusal;
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
    raiseAttention(copy, assumptions);
    SymbolicEvaluator evaluator(copy, assumptions);
    TokenwiseAnalysis analysis(copy, model, evaluator);
    if (analysis.getRefusal())
      return analysis.getRefusal();
    SmallVector<RankedTensorType> types;
    if (std::optional<Refusal> refusal =
            planDerivedCaches(analysis, evaluator,
                              getContextLength(getOperation(), context), types))
      return refusal;
    StepFunction step(copy, model);
    SmallVector<Value> updated = addCaches(step, analysis, types);
    step.finish(sliceLogits(step, /*index=*/0, model.vocab), updated);
    return std::nullopt;
  }

  /// What a report says.
  static std::string describeGeneration(const LanguageModel &model,
                                        const std::optional<Refusal> &refusal) {
    if (refusal)
      return (describeConsequence(model) + ": " + refusal->reason).str();
    return model.caches.empty()
               ? "generation appends in place to a KV cache that the graph "
                 "does "
                 "not have"
               : "generation appends in place to the graph's KV cache";
  }

  static StringRef describeConsequence(const LanguageModel &model) {
    if (!model.unknown.empty() || !model.runsWithoutStep())
      return "the model does not generate text by itself";
    return model.caches.empty()
               ? "generation recomputes the whole sequence for each token"
               : "generation passes its KV cache through every call";
  }
};
} // namespace
