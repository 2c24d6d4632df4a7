//===- OnnxOps.td - operations of the onnx dialect ---------*- tablegen -*-===//

#ifndef TERN_DIALECT_ONNX_IR_ONNXOPS_TD
#define TERN_DIALECT_ONNX_IR_ONNXOPS_TD

include "tern/Dialect/Onnx/IR/OnnxDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Onnx_Op<string mnemonic, list<Trait> traits = []>
    : Op<Onnx_Dialect, mnemonic, traits>;

def Onnx_NodeOp : Onnx_Op<"node", [Pure]> {
  let summary = "one ONNX node, verbatim";
  let description = [{
    `kind` is the operator's name, prefixed by its domain and two colons unless
    the domain is ONNX's own: `"MatMul"`, `"com.microsoft::MatMulNBits"`.
    Attributes of the node stand in `attrs` under their ONNX names: INT as
    `i64`, FLOAT as `f32`, STRING as a string, INTS and FLOATS as
    `array<i64: …>` and `array<f32: …>`, STRINGS as an array of strings, TENSOR
    as a dense or resource elements attribute, TENSORS as an array of these. An
    omitted optional input is an
    `onnx.none`; an omitted output has type `none` and no uses. The location is
    the node's name.

    Example:
    ```mlir
    %y = onnx.node "Clip"(%x, %lo, %none) : (tensor<?xf32>, tensor<f32>, none) -> tensor<?xf32>
    %z = onnx.node "Transpose"(%y) {perm = array<i64: 0>} : (tensor<?xf32>) -> tensor<?xf32>
    ```
  }];
  let arguments = (ins StrAttr:$kind, Variadic<AnyType>:$inputs,
                       DefaultValuedAttr<DictionaryAttr, "{}">:$attrs);
  let results = (outs Variadic<AnyType>:$outputs);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The attribute `name` of the ONNX node, or null.
    ::mlir::Attribute getNodeAttr(::llvm::StringRef name) {
      return getAttrs().get(name);
    }
    /// The attribute `name` as an integer, or `fallback` where it is absent.
    int64_t getInt(::llvm::StringRef name, int64_t fallback);
    /// The attribute `name` as a float, or `fallback` where it is absent.
    float getFloat(::llvm::StringRef name, float fallback);
    /// The attribute `name` as a string, or `fallback` where it is absent.
    ::llvm::StringRef getString(::llvm::StringRef name, ::llvm::StringRef fallback);
    /// The attribute `name` as a list of integers, or nullopt where it is absent.
    std::optional<::llvm::ArrayRef<int64_t>> getInts(::llvm::StringRef name);
    /// Input `index`, or a null value where it is omitted (`onnx.none` or past
    /// the end).
    ::mlir::Value getInput(unsigned index);
    /// The version of this node's domain, from the module's `onnx.opsets`; 0
    /// where the module does not say.
    int64_t getOpset();
    /// True where the node is operator `op` of ONNX's own domain.
    bool is(::llvm::StringRef op) { return getKind() == op; }
  }];
}

def Onnx_ConstantOp : Onnx_Op<"constant",
    [Pure, ConstantLike, AllTypesMatch<["value", "result"]>]> {
  let summary = "an initializer or a constant node's value";
  let description = [{
    Large values are resources over the memory of the model's file. A resource
    holds exactly the bytes of its type, packed as the description of the
    dialect says; one whose bytes were left out in printing is accepted.

    Example:
    ```mlir
    %w = onnx.constant dense<[1, 2]> : tensor<2xi64>
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "attr-dict $value";
  let builders = [OpBuilder<(ins "::mlir::ElementsAttr":$value), [{
    build($_builder, $_state, value.getType(), value);
  }]>];
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Onnx_NoneOp : Onnx_Op<"none", [Pure, ConstantLike]> {
  let summary = "an omitted optional input";
  let description = [{
    Example:
    ```mlir
    %none = onnx.none
    ```
  }];
  let results = (outs NoneType:$result);
  let assemblyFormat = "attr-dict";
  let hasFolder = 1;
}

#endif // TERN_DIALECT_ONNX_IR_ONNXOPS_TD
