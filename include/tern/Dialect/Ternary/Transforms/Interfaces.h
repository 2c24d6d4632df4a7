//===- Interfaces.h - upstream interfaces of ternary operations ---*- C++
//-*-===//
#ifndef TERN_DIALECT_TERNARY_TRANSFORMS_INTERFACES_H
#define TERN_DIALECT_TERNARY_TRANSFORMS_INTERFACES_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace tern::ternary {

/// Lets one-shot bufferisation take `ternary.packed_matmul` and `ternary.head`:
/// inputs are read, init is written and not read.
void registerBufferizableOpInterfaceExternalModels(
    mlir::DialectRegistry &registry);

/// Lets upstream tiling cut `ternary.packed_matmul` over tokens and over whole
/// tiles of rows.
void registerTilingInterfaceExternalModels(mlir::DialectRegistry &registry);

/// All of the above.
void registerTernaryInterfaces(mlir::DialectRegistry &registry);

} // namespace tern::ternary

#endif // TERN_DIALECT_TERNARY_TRANSFORMS_INTERFACES_H
