//===- Report.h - what became of each layer ---------------------*- C++ -*-===//
#ifndef TERN_LIB_DRIVER_REPORT_H
#define TERN_LIB_DRIVER_REPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/raw_ostream.h"

namespace tern {

/// Prints a line for each linear layer of the graph `main` of a raised module:
/// its name, the form in which its weights were found, N x K, how activations
/// are quantised, the share of zeros and the bytes at two bits a trit. Layers
/// that stayed float follow, and a line of totals.
void printReport(mlir::ModuleOp raised, llvm::raw_ostream &os);

} // namespace tern

#endif // TERN_LIB_DRIVER_REPORT_H
