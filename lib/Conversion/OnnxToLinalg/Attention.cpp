//===- Attention.cpp - attention operators and caches
//---------------------------------===//

#include "Lowering.h"

void tern::onnx::addAttentionLowerings(LoweringTable &table) {}
