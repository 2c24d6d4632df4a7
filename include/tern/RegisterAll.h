//===- RegisterAll.h - dialects and passes for every tool -------*- C++ -*-===//
#ifndef TERN_REGISTERALL_H
#define TERN_REGISTERALL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace tern {

/// Registers the dialects that Tern defines or lowers to, with their interface
/// implementations (bufferisation, tiling, inlining, translation to LLVM IR).
void registerDialects(mlir::DialectRegistry &registry);

/// Registers Tern's passes and pipelines, and those of upstream that they use,
/// under their command-line names.
void registerPasses();

} // namespace tern

#endif // TERN_REGISTERALL_H
