//===- Reduction.cpp - reductions along axes
//---------------------------------===//

#include "Lowering.h"

void tern::onnx::addReductionLowerings(LoweringTable &table) {}
