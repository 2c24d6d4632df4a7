//===- Normalization.cpp - softmax and norms
//---------------------------------===//

#include "Lowering.h"

void tern::onnx::addNormalizationLowerings(LoweringTable &table) {}
