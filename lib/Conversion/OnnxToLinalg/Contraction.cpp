//===- Contraction.cpp - products of matrices
//---------------------------------===//

#include "Lowering.h"

void tern::onnx::addContractionLowerings(LoweringTable &table) {}
