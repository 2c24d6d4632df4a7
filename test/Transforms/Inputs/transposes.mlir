// Transposes two groups of n rows of 21 elements, for n from 0 to 20, and prints how many
// elements are where they should be: 2 * 21 * (0 + ... + 20) of as many.

func.func @transpose(%x: memref<2x?x21xi32>, %y: memref<21x2x?xi32>) {
  scf.forall (%i) in (1) {
    linalg.generic {indexing_maps = [affine_map<(k, g, q) -> (g, q, k)>, affine_map<(k, g, q) -> (k, g, q)>],
                    iterator_types = ["parallel", "parallel", "parallel"]}
        ins(%x : memref<2x?x21xi32>) outs(%y : memref<21x2x?xi32>) {
    ^bb0(%p: i32, %o: i32):
      linalg.yield %p : i32
    }
  }
  return
}

// The number of an element: never 0, which nothing is written as.
func.func @number(%g: index, %q: index, %k: index) -> i32 {
  %c100 = arith.constant 100 : index
  %c1 = arith.constant 1 : index
  %0 = arith.muli %g, %c100 : index
  %1 = arith.addi %0, %q : index
  %2 = arith.muli %1, %c100 : index
  %3 = arith.addi %2, %k : index
  %4 = arith.addi %3, %c1 : index
  %5 = arith.index_cast %4 : index to i32
  return %5 : i32
}

func.func @main() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c21 = arith.constant 21 : index
  %zero = arith.constant 0 : i32
  %right, %all = scf.for %n = %c0 to %c21 step %c1 iter_args(%a = %c0, %b = %c0) -> (index, index) {
    %x = memref.alloc(%n) : memref<2x?x21xi32>
    %y = memref.alloc(%n) : memref<21x2x?xi32>
    scf.for %g = %c0 to %c2 step %c1 {
      scf.for %q = %c0 to %n step %c1 {
        scf.for %k = %c0 to %c21 step %c1 {
          %e = func.call @number(%g, %q, %k) : (index, index, index) -> i32
          memref.store %e, %x[%g, %q, %k] : memref<2x?x21xi32>
          memref.store %zero, %y[%k, %g, %q] : memref<21x2x?xi32>
        }
      }
    }
    func.call @transpose(%x, %y) : (memref<2x?x21xi32>, memref<21x2x?xi32>) -> ()
    %counts:2 = scf.for %g = %c0 to %c2 step %c1 iter_args(%p = %a, %r = %b) -> (index, index) {
      %of_group:2 = scf.for %q = %c0 to %n step %c1 iter_args(%s = %p, %t = %r) -> (index, index) {
        %of_row:2 = scf.for %k = %c0 to %c21 step %c1 iter_args(%u = %s, %v = %t) -> (index, index) {
          %e = func.call @number(%g, %q, %k) : (index, index, index) -> i32
          %f = memref.load %y[%k, %g, %q] : memref<21x2x?xi32>
          %same = arith.cmpi eq, %e, %f : i32
          %one = arith.select %same, %c1, %c0 : index
          %w = arith.addi %u, %one : index
          %z = arith.addi %v, %c1 : index
          scf.yield %w, %z : index, index
        }
        scf.yield %of_row#0, %of_row#1 : index, index
      }
      scf.yield %of_group#0, %of_group#1 : index, index
    }
    memref.dealloc %x : memref<2x?x21xi32>
    memref.dealloc %y : memref<21x2x?xi32>
    scf.yield %counts#0, %counts#1 : index, index
  }
  vector.print %right : index punctuation <no_punctuation>
  vector.print str " of "
  vector.print %all : index
  return
}
