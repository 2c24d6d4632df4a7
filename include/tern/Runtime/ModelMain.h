//===- ModelMain.h - the program around a compiled model --------*- C++ -*-===//
#ifndef TERN_RUNTIME_MODELMAIN_H
#define TERN_RUNTIME_MODELMAIN_H

#include "tern/Runtime/ModelABI.h"

namespace tern::runtime {

/// Does what the command line asks of `model` and returns the exit code: 0
/// done, 1 the input is at fault, 2 the command line, 3 our bug, 130
/// interrupted. Throws nothing; messages go to standard error.
int modelMain(int argc, char **argv, const TernModel &model);

} // namespace tern::runtime

#endif // TERN_RUNTIME_MODELMAIN_H
