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
    INT2 is `i2`, UINT2 is `ui2`, BOOL is `i1`. In resources an `i1` takes a
    byte, 0 or 1, as MLIR and ONNX have it; other types narrower than a byte
    stay packed as in the file, `ceil(elements * bits / 8)` bytes with the first
    element in the lowest bits. Dense attributes hold one element after another
    in MLIR's own form, whatever the file does.

    A graph is a `func.func`. Arguments and results carry their ONNX names as
    `onnx.name` and the names of their symbolic dimensions as `onnx.dims`, one
    string a dimension, empty where it has no name; a value of unknown rank has
    none:

    ```mlir
    func.func @main(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dims = ["batch", ""]})
        -> (tensor<?x4xf32> {onnx.name = "y", onnx.dims = ["batch", ""]}) {
      %y = onnx.node "Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
      return %y : tensor<?x4xf32>
    }
    ```
    The module carries

    - `onnx.opsets`, the version of every domain that the graph imports:
      `{ai.onnx = 20 : i64}`;
    - `onnx.name`, the name of the graph;
    - `onnx.producer`, the program that wrote the model, and its version;
    - `onnx.metadata`, a dictionary of strings that the model carries along.
  }];
  let hasConstantMaterializer = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
}

#endif // TERN_DIALECT_ONNX_IR_ONNXDIALECT_TD
