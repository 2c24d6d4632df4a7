//===- Movement.cpp - operators that move elements
//---------------------------------===//

#include "Lowering.h"

void tern::onnx::addMovementLowerings(LoweringTable &table) {}
