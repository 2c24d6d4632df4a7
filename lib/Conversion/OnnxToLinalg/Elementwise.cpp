//===- Elementwise.cpp - operators on one element at a time
//---------------------------------===//

#include "Lowering.h"

void tern::onnx::addElementwiseLowerings(LoweringTable &table) {}
