//===- ConstantVerifier.h - are the weights numbers? ------------*- C++ -*-===//
#ifndef TERN_LIB_IMPORT_CONSTANTVERIFIER_H
#define TERN_LIB_IMPORT_CONSTANTVERIFIER_H

#include "ModelFile.h"
#include "TensorReader.h"

namespace tern::importer {

/// Checks that no initializer that a node reads holds a NaN, and that none of
/// the weights and scales of layers holds an infinity, which masks may. Emits
/// an error that names the first node where not. Initializers are prepared.
///
/// A model with such weights computes nothing but NaN, and a matrix that would
/// be ternary is not: mostly its file is damaged, or its training diverged.
mlir::LogicalResult verifyConstants(const ModelFile &file,
                                    const TensorReader &reader);

} // namespace tern::importer

#endif // TERN_LIB_IMPORT_CONSTANTVERIFIER_H
