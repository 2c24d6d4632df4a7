//===- Shape.cpp - shapes as values ---------------------------------===//

#include "Lowering.h"

void tern::onnx::addShapeLowerings(LoweringTable &table) {}
