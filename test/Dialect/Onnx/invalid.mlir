// RUN: tern-opt %s --split-input-file --verify-diagnostics

func.func @no_name(%x: tensor<f32>) {
  // expected-error @below {{'onnx.node' op has operator name ''; expected a name, or a domain, '::' and a name}}
  onnx.node ""(%x) : (tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func @no_domain(%x: tensor<f32>) {
  // expected-error @below {{'onnx.node' op has operator name '::Abs'; expected a name, or a domain, '::' and a name}}
  onnx.node "::Abs"(%x) : (tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func @only_domain(%x: tensor<f32>) {
  // expected-error @below {{'onnx.node' op has operator name 'com.foo::'; expected a name, or a domain, '::' and a name}}
  onnx.node "com.foo::"(%x) : (tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func @input_type(%x: tensor<f32>, %y: f32) {
  // expected-error @below {{'onnx.node' op input 1 has type 'f32'; expected a tensor or none}}
  onnx.node "Add"(%x, %y) : (tensor<f32>, f32) -> tensor<f32>
  return
}

// -----

func.func @output_type(%x: tensor<f32>) {
  // expected-error @below {{'onnx.node' op output 0 has type 'f32'; expected a tensor or none}}
  onnx.node "Abs"(%x) : (tensor<f32>) -> f32
  return
}

// -----

func.func @integer_width(%x: tensor<f32>) {
  // expected-error @below {{'onnx.node' op attribute 'axis' is 1 : i32; expected an i64, an f32, a string, a tensor, or a list of them}}
  onnx.node "Softmax"(%x) {axis = 1 : i32} : (tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func @float_width(%x: tensor<f32>) {
  // expected-error @below {{'onnx.node' op attribute 'alpha' is 1.000000e+00 : f64; expected an i64, an f32, a string, a tensor, or a list of them}}
  onnx.node "Elu"(%x) {alpha = 1.0} : (tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func @list_type(%x: tensor<f32>) {
  // expected-error @below {{'onnx.node' op attribute 'axes' is array<i32: 0>; expected an i64, an f32, a string, a tensor, or a list of them}}
  onnx.node "Squeeze"(%x) {axes = array<i32: 0>} : (tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func @mixed_list(%x: tensor<f32>) {
  // expected-error @below {{'onnx.node' op attribute 'list' is ["a", 1]; expected an i64, an f32, a string, a tensor, or a list of them}}
  onnx.node "com.foo::Bar"(%x) {list = ["a", 1]} : (tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func @short_resource() {
  // expected-error @below {{'onnx.constant' op has a resource of 1 bytes; expected 2 for 'tensor<5xi2>'}}
  onnx.constant dense_resource<w> : tensor<5xi2>
  return
}
{-# dialect_resources: { builtin: { w: "0x010000004E" } } #-}

// -----

func.func @packed_bools() {
  // expected-error @below {{'onnx.constant' op has a resource of 1 bytes; expected 8 for 'tensor<8xi1>'}}
  onnx.constant dense_resource<w> : tensor<8xi1>
  return
}
{-# dialect_resources: { builtin: { w: "0x01000000FF" } } #-}

// -----

// expected-error @below {{'builtin.module' op attribute 'onnx.opsets' is {ai.onnx = "20"}; expected a dictionary of integers}}
module attributes {onnx.opsets = {ai.onnx = "20"}} {}

// -----

// expected-error @below {{'builtin.module' op attribute 'onnx.metadata' is {key = 1 : i64}; expected a dictionary of strings}}
module attributes {onnx.metadata = {key = 1}} {}

// -----

// expected-error @below {{'builtin.module' op attribute 'onnx.producer' is 1 : i64; expected a string}}
module attributes {onnx.producer = 1} {}

// -----

// expected-error @below {{'func.func' op argument 1 attribute 'onnx.name' is 1 : i64; expected a string}}
func.func private @arg_name(tensor<f32>, tensor<f32> {onnx.name = 1})

// -----

// expected-error @below {{'func.func' op result 0 attribute 'onnx.dims' is ["n", 1]; expected an array of strings}}
func.func private @result_dims() -> (tensor<?x?xf32> {onnx.dims = ["n", 1]})

// -----

// expected-error @below {{'func.func' op argument 0 attribute 'onnx.dims' names 1 dimensions; expected 2 for 'tensor<?x?xf32>'}}
func.func private @dims_rank(tensor<?x?xf32> {onnx.dims = ["n"]})
