//===- HostileModel.h - a fuzzer's input as a model file --------*- C++ -*-===//
#ifndef TERN_TEST_FUZZ_HOSTILEMODEL_H
#define TERN_TEST_FUZZ_HOSTILEMODEL_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <cstddef>
#include <cstdint>
#include <functional>

namespace tern::fuzz {

/// Writes `data` to a file beside `w.bin`, 4 KiB of external data, imports it,
/// and hands the module, where there is one, to `use`, which says whether it
/// could do what it wanted. Aborts where something failed without an error or
/// an error was no failure.
void importHostileModel(const uint8_t *data, size_t size,
                        mlir::MLIRContext &context,
                        std::function<mlir::LogicalResult(mlir::ModuleOp)> use);

} // namespace tern::fuzz

#endif // TERN_TEST_FUZZ_HOSTILEMODEL_H
