// Element (m, n) of 7 rows of 16 is the code 16 m + n - 56 times (m + 1) / 2, and -1 left of the
// diagonal; prints the sums and the maxima of the columns.

#row = affine_map<(m, n) -> (m, n)>
#of_m = affine_map<(m, n) -> (m)>
#of_n = affine_map<(m, n) -> (n)>

func.func @compute(%codes: memref<?x16xi8>, %scales: memref<?xf32>, %elements: memref<?x16xf32>,
                   %sums: memref<16xf32>, %maxima: memref<16xf32>) {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %hidden = arith.constant -1.0 : f32
  scf.forall (%i) in (1) {
    linalg.fill ins(%zero : f32) outs(%sums : memref<16xf32>)
    linalg.fill ins(%least : f32) outs(%maxima : memref<16xf32>)
    linalg.generic {indexing_maps = [#row, #of_m, #row], iterator_types = ["parallel", "parallel"]}
        ins(%codes, %scales : memref<?x16xi8>, memref<?xf32>) outs(%elements : memref<?x16xf32>) {
    ^bb0(%p: i8, %q: f32, %o: f32):
      %f = arith.sitofp %p : i8 to f32
      %r = arith.mulf %f, %q : f32
      linalg.yield %r : f32
    }
    linalg.generic {indexing_maps = [#row], iterator_types = ["parallel", "parallel"]}
        outs(%elements : memref<?x16xf32>) {
    ^bb0(%o: f32):
      %m = linalg.index 0 : index
      %n = linalg.index 1 : index
      %c = arith.cmpi sge, %n, %m : index
      %s = arith.select %c, %o, %hidden : f32
      linalg.yield %s : f32
    }
    linalg.generic {indexing_maps = [#row, #of_n], iterator_types = ["reduction", "parallel"]}
        ins(%elements : memref<?x16xf32>) outs(%sums : memref<16xf32>) {
    ^bb0(%p: f32, %o: f32):
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
    }
    linalg.generic {indexing_maps = [#row, #of_n], iterator_types = ["reduction", "parallel"]}
        ins(%elements : memref<?x16xf32>) outs(%maxima : memref<16xf32>) {
    ^bb0(%p: f32, %o: f32):
      %s = arith.maximumf %o, %p : f32
      linalg.yield %s : f32
    }
  }
  return
}

func.func @print(%row: memref<16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c15 = arith.constant 15 : index
  scf.for %n = %c0 to %c15 step %c1 {
    %f = memref.load %row[%n] : memref<16xf32>
    vector.print %f : f32 punctuation <no_punctuation>
    vector.print str ", "
  }
  %last = memref.load %row[%c15] : memref<16xf32>
  vector.print %last : f32
  return
}

func.func @main() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c7 = arith.constant 7 : index
  %c16 = arith.constant 16 : index
  %half = arith.constant 0.5 : f32
  %c56 = arith.constant 56 : index
  %codes = memref.alloc(%c7) : memref<?x16xi8>
  %scales = memref.alloc(%c7) : memref<?xf32>
  %elements = memref.alloc(%c7) : memref<?x16xf32>
  %sums = memref.alloc() : memref<16xf32>
  %maxima = memref.alloc() : memref<16xf32>
  scf.for %m = %c0 to %c7 step %c1 {
    %next = arith.addi %m, %c1 : index
    %integer = arith.index_cast %next : index to i32
    %number = arith.sitofp %integer : i32 to f32
    %scale = arith.mulf %number, %half : f32
    memref.store %scale, %scales[%m] : memref<?xf32>
    scf.for %n = %c0 to %c16 step %c1 {
      %first = arith.muli %m, %c16 : index
      %place = arith.addi %first, %n : index
      %centred = arith.subi %place, %c56 : index
      %code = arith.index_cast %centred : index to i8
      memref.store %code, %codes[%m, %n] : memref<?x16xi8>
    }
  }
  func.call @compute(%codes, %scales, %elements, %sums, %maxima)
      : (memref<?x16xi8>, memref<?xf32>, memref<?x16xf32>, memref<16xf32>, memref<16xf32>) -> ()
  func.call @print(%sums) : (memref<16xf32>) -> ()
  func.call @print(%maxima) : (memref<16xf32>) -> ()
  return
}
