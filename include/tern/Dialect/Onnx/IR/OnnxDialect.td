//===- OnnxDialect.td - the ONNX graph, kept verbatim ------*- tablegen -*-===//

#ifndef TERN_DIALECT_ONNX_IR_ONNXDIALECT_TD
#define TERN_DIALECT_ONNX_IR_ONNXDIALECT_TD

include "mlir/IR/OpBase.td"

def Onnx_Dialect : Dialect {
  let name = "onnx";
  let cppNamespace = "::tern::onnx";
  let summary = "an ONNX graph, kept verbatim";
  let description = [{
    Carries an imported ONNX graph with one generic operation for every node,
    so that each raising pattern can be tested from text, without a model.

    Integer element types keep ONNX's signedness: INT8 is `i8`, UINT8 is `ui8`,
    BOOL is `i1`, INT2 is `i2`, UINT2 is `ui2`. Types narrower than a byte are
    stored in resources as the file has them: packed, lowest bits first.

    A graph is a `func.func`. Arguments and results carry their ONNX names as
    `onnx.name` and symbolic dimensions as `onnx.dims`:

    ```mlir
    func.func @main(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dims = ["batch", ""]})
        -> (tensor<?x4xf32> {onnx.name = "y", onnx.dims = ["batch", ""]}) {
      %y = onnx.node "Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
      return %y : tensor<?x4xf32>
    }
    ```
    The module carries `onnx.opsets = {ai.onnx = 20 : i64}`, the version of
    every domain that the graph imports.
  }];
  let hasConstantMaterializer = 1;
}

#endif // TERN_DIALECT_ONNX_IR_ONNXDIALECT_TD
