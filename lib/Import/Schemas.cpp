//===- Schemas.cpp - the operators that ONNX defines ----------------------===//

#include "Schemas.h"

using namespace tern::importer;

const onnxlib::OpSchema *
tern::importer::getSchema(const onnxlib::NodeProto &node, int opset) {
  const auto *schema = onnxlib::OpSchemaRegistry::Instance()->GetSchema(
      node.op_type(), opset, node.domain());
  return schema && !schema->Deprecated() ? schema : nullptr;
}
