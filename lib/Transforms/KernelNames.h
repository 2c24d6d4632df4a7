//===- KernelNames.h - which nodes a loop computes --------------*- C++ -*-===//
#ifndef TERN_LIB_TRANSFORMS_KERNELNAMES_H
#define TERN_LIB_TRANSFORMS_KERNELNAMES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SmallVector.h"

#include <string>

namespace tern {

/// Collects what outlined loops compute, for the attribute kKernelAttr.
class KernelNames {
public:
  /// Notes which nodes call the functions of `module`.
  explicit KernelNames(mlir::ModuleOp module);

  /// `body` runs the iterations of `loop`, which is in `function`. Equal loops
  /// share a body: it is named after all of them.
  void add(mlir::func::FuncOp body, mlir::scf::ParallelOp loop,
           mlir::func::FuncOp function);

  /// Sets the attribute of every body.
  void annotate();

private:
  using Names = llvm::SmallVector<std::string, 2>; // all different
  struct Kernel {
    Names nodes;
    mlir::DictionaryAttr described; ///< of the loop; may be null
  };

  llvm::DenseMap<mlir::StringAttr, Names> callers; ///< by function's name
  llvm::MapVector<mlir::Operation *, Kernel> kernels;
};

/// One text for several names: what they have in common, and in braces what
/// they differ in, "layers.*.attn.{q_proj,k_proj}". Only some of many.
std::string joinNames(llvm::ArrayRef<std::string> names);

} // namespace tern

#endif // TERN_LIB_TRANSFORMS_KERNELNAMES_H
