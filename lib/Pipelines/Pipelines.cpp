//===- Pipelines.cpp - the stages of the compiler, in order ---------------===//

#include "tern/Pipelines/Pipelines.h"

#include "tern/Conversion/Passes.h"
#include "tern/Dialect/Onnx/Transforms/Passes.h"
#include "tern/Dialect/Ternary/Transforms/Passes.h"
#include "tern/Transforms/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Dialect/Vector/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace tern;

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

StringRef tern::getStageName(Stage stage) {
  switch (stage) {
  case Stage::Import:
    return "import";
  case Stage::Raise:
    return "raise";
  case Stage::Optimize:
    return "optimize";
  case Stage::Pack:
    return "pack";
  case Stage::Lower:
    return "lower";
  case Stage::LLVM:
    return "llvm";
  }
  llvm_unreachable("covered switch");
}

//===----------------------------------------------------------------------===//
// Pipelines
//===----------------------------------------------------------------------===//

static void addCleanup(OpPassManager &pm) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void tern::buildRaisePipeline(OpPassManager &pm,
                              const PipelineOptions &options) {
  pm.addNestedPass<func::FuncOp>(createConvertOnnxToTernary());
  pm.addNestedPass<func::FuncOp>(onnx::createFoldConstants());
  pm.addNestedPass<func::FuncOp>(onnx::createRaiseAttention());
  pm.addPass(onnx::createDeriveStep(
      onnx::DeriveStepOptions{options.context, options.kvCache}));
  pm.addPass(createConvertOnnxToLinalg());
  addCleanup(pm);
}

void tern::buildOptimizePipeline(OpPassManager &pm, const PipelineOptions &) {
  pm.addNestedPass<func::FuncOp>(ternary::createDecomposeBitLinear());
  addCleanup(pm);
  // Layers of short floats widen and narrow whole tensors.
  pm.addNestedPass<func::FuncOp>(createConvertElementwiseToLinalgPass());
  // Named operations fuse once they are generic.
  pm.addNestedPass<func::FuncOp>(createLinalgGeneralizeNamedOpsPass());
  pm.addNestedPass<func::FuncOp>(createFuseElementwise());
  addCleanup(pm);
}

void tern::buildPackPipeline(OpPassManager &pm,
                             const PipelineOptions &options) {
  ternary::PackWeightsOptions pack;
  pack.encoding = options.encoding;
  pack.targets.assign(options.packTargets.begin(), options.packTargets.end());
  pm.addPass(ternary::createMergeProducts());
  pm.addPass(ternary::createPackWeights(pack));
  addCleanup(pm);
  pm.addPass(createOutlineRepeatedLayers());
  addCleanup(pm);
}

void tern::buildHeadPipeline(OpPassManager &pm,
                             const PipelineOptions &options) {
  ternary::ScreenHeadOptions head;
  head.mode = options.head;
  pm.addPass(ternary::createScreenHead(head, options.forgetPages));
  addCleanup(pm);
}

void tern::buildBufferizePipeline(OpPassManager &pm,
                                  const PipelineOptions &options) {
  ConvertTernaryToLinalgOptions portable;
  portable.keepPackedMatmul = !options.portable;
  pm.addNestedPass<func::FuncOp>(createConvertTernaryToLinalg(portable));
  addCleanup(pm);
  pm.addNestedPass<func::FuncOp>(createLinalgGeneralizeNamedOpsPass());
  pm.addNestedPass<func::FuncOp>(createAlignLoops());
  pm.addNestedPass<func::FuncOp>(createFuseElementwise());
  pm.addNestedPass<func::FuncOp>(createFuseRows());
  pm.addNestedPass<func::FuncOp>(createFillPadding());
  pm.addNestedPass<func::FuncOp>(createScheduleContractions());
  addCleanup(pm);

  // After all cleanup, which would make one of tensors that are written to.
  pm.addNestedPass<func::FuncOp>(createFillSplats());
  pm.addNestedPass<func::FuncOp>(createSplitConcats());
  pm.addNestedPass<func::FuncOp>(createProtectArguments());
  // What is inserted into a cache or a padded tensor is computed there.
  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  // Bufferization knows the layout of an allocation before it makes it, so that
  // both branches of a choice have one; of an empty tensor it does not.
  pm.addPass(bufferization::createEmptyTensorToAllocTensorPass());
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  bufferize.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  bufferize.bufferAlignment = 64;
  pm.addPass(bufferization::createOneShotBufferizePass(bufferize));
  // An argument updated in place is also "returned"; only its update matters.
  pm.addPass(bufferization::createDropEquivalentBufferResultsPass());
  addCleanup(pm);
  pm.addPass(createHoistResults());
  pm.addPass(createFetchRows());
  pm.addPass(createNarrowConstants());
  pm.addPass(createExternalizeConstants());
  bufferization::buildBufferDeallocationPipeline(
      pm, bufferization::BufferDeallocationPipelineOptions());
  pm.addNestedPass<func::FuncOp>(
      bufferization::createOptimizeAllocationLivenessPass());
  pm.addPass(createConvertBufferizationToMemRefPass());
}

/// Vector code for float loops, for the registers that a target of the ternary
/// kernels has.
static void addFloatVectors(OpPassManager &pm, StringRef target) {
  VectorizeContractionsOptions contractions;
  if (target.starts_with("avx")) {
    contractions.lanes = 8;
    contractions.registers = 16;
  }
  // AMX multiplies integers only; what has it has AVX-512 too.
  if (target.starts_with("avx512") || target == "zen4" || target == "amx") {
    contractions.lanes = 16;
    contractions.registers = 32;
  }
  pm.addNestedPass<func::FuncOp>(createVectorizeContractions(contractions));
  pm.addNestedPass<func::FuncOp>(createVectorizeReductions(
      VectorizeReductionsOptions{contractions.lanes}));
  pm.addNestedPass<func::FuncOp>(createVectorizeTransposes(
      VectorizeTransposesOptions{contractions.lanes}));
  pm.addNestedPass<func::FuncOp>(
      createVectorizeShortRows(VectorizeShortRowsOptions{contractions.lanes}));
}

void tern::buildLowerPipeline(OpPassManager &pm,
                              const PipelineOptions &options) {
  ConvertTernaryToVectorOptions vector;
  vector.target = options.vectorTarget;
  pm.addPass(createConvertTernaryToVector(vector));
  pm.addPass(createConvertTernaryHeadToVector(
      ConvertTernaryHeadToVectorOptions{options.vectorTarget}));
  pm.addNestedPass<func::FuncOp>(createLowerStridedCopies());
  if (!options.portable)
    addFloatVectors(pm, options.vectorTarget);
  pm.addPass(createForallToParallelLoopPass());
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToParallelLoopsPass());
  addCleanup(pm);
}

/// bf16 arithmetic and the mathematics of short floats go by way of f32, and
/// bf16 is rounded by integer operations: CPUs that lack instructions for it
/// would call functions that older compilers' libraries do not have. Each
/// result is rounded to its type, as the model's types say.
static void addFloatEmulation(OpPassManager &pm) {
  arith::ArithEmulateUnsupportedFloatsOptions emulate;
  emulate.sourceTypeStrs = {"bf16"};
  emulate.targetTypeStr = "f32";
  pm.addPass(math::createMathExtendToSupportedTypes());
  pm.addPass(arith::createArithEmulateUnsupportedFloats(emulate));
  pm.addPass(createKeepRounding());
  pm.addPass(createConvertThroughF32());
  arith::ArithExpandOpsPassOptions expand;
  expand.includeBf16 = true;
  pm.addPass(arith::createArithExpandOpsPass(expand));
}

void tern::buildLLVMPipeline(OpPassManager &pm,
                             const PipelineOptions &options) {
  pm.addPass(createEmitModelEntries(EmitModelEntriesOptions{options.variant}));
  pm.addNestedPass<func::FuncOp>(createMarkTemporaries());
  pm.addNestedPass<func::FuncOp>(createStackSmallBuffers());
  pm.addNestedPass<func::FuncOp>(createCheckAllocations());
  pm.addPass(createAnnounceWeights());
  pm.addPass(createOutlineParallelLoops());
  pm.addNestedPass<func::FuncOp>(createSplitStreamLoops());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createConvertVectorToSCFPass());
  pm.addNestedPass<func::FuncOp>(vector::createLowerVectorMultiReductionPass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addNestedPass<func::FuncOp>(createResolveExpandShapes());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(memref::createExpandOpsPass());
  addFloatEmulation(pm);
  pm.addNestedPass<func::FuncOp>(createExpandExponentials());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  pm.addPass(createConvertVectorToLLVMPass());
  FinalizeMemRefToLLVMConversionPassOptions memref;
  // Buffers that leave through the ABI are freed with free().
  memref.useAlignedAlloc = true;
  pm.addPass(createFinalizeMemRefToLLVMConversionPass(memref));
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createMakeBF16Bits());
  addCleanup(pm);
  pm.addPass(createEmitKernelTable(EmitKernelTableOptions{options.variant}));
}

//===----------------------------------------------------------------------===//
// For tern-opt
//===----------------------------------------------------------------------===//

namespace {
/// PipelineOptions as tern-opt's command line gives them.
struct CommandLineOptions : PassPipelineOptions<CommandLineOptions> {
  Option<bool> portable{*this, "portable",
                        llvm::cl::desc("Portable loops, no vector code"),
                        llvm::cl::init(false)};
  Option<std::string> encoding{*this, "encoding",
                               llvm::cl::desc("Packed weights: auto, i2 or t5"),
                               llvm::cl::init("i2")};
  Option<std::string> target{*this, "target",
                             llvm::cl::desc("Vector instructions"),
                             llvm::cl::init("generic")};
  Option<int64_t> context{*this, "context",
                          llvm::cl::desc("Positions of the KV cache"),
                          llvm::cl::init(0)};
  Option<std::string> kvCache{*this, "kv-cache",
                              llvm::cl::desc("KV cache: model, f16 or i8"),
                              llvm::cl::init("model")};
  Option<std::string> head{*this, "head",
                           llvm::cl::desc("Head: auto, exact or screened"),
                           llvm::cl::init("auto")};

  PipelineOptions get() const {
    PipelineOptions options;
    options.head = head;
    options.portable = portable;
    options.encoding = encoding;
    options.vectorTarget = target;
    options.packTargets = {target};
    options.variant = target;
    options.context = context;
    options.kvCache = kvCache;
    return options;
  }
};
} // namespace

void tern::registerPipelines() {
  using Build = void (*)(OpPassManager &, const PipelineOptions &);
  auto add = [](StringRef name, StringRef description, Build build) {
    PassPipelineRegistration<CommandLineOptions>(
        name, description,
        [build](OpPassManager &pm, const CommandLineOptions &options) {
          build(pm, options.get());
        });
  };
  add("tern-raise-pipeline", "onnx to ternary and linalg", buildRaisePipeline);
  add("tern-optimize-pipeline", "decompose layers and fuse",
      buildOptimizePipeline);
  add("tern-pack-pipeline", "lay weights out for the kernels",
      buildPackPipeline);
  add("tern-head-pipeline", "read a fraction of a language model's head",
      buildHeadPipeline);
  add("tern-bufferize-pipeline", "tensors to buffers", buildBufferizePipeline);
  add("tern-lower-pipeline", "buffers to loops and vector code",
      buildLowerPipeline);
  add("tern-llvm-pipeline", "loops and vectors to the LLVM dialect",
      buildLLVMPipeline);
}
