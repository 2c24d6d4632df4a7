//===- Quantization.cpp - between floats and integer codes
//---------------------------------===//

#include "Lowering.h"

void tern::onnx::addQuantizationLowerings(LoweringTable &table) {}
