include "tern/Dialect/Ternary/IR/TernaryDialect.td"

def Ternary_Silent : Op<Ternary_Dialect, "silent">;

def Ternary_Wrong : Op<Ternary_Dialect, "wrong"> {
  let summary = "an operation whose example is none of ours";
  let description = [{
    ```mlir
    %y = ternary.wrong %x : i32
    ```
  }];
}
