//===- Indexing.cpp - reading and writing by indices
//---------------------------------===//

#include "Lowering.h"

void tern::onnx::addIndexingLowerings(LoweringTable &table) {}
