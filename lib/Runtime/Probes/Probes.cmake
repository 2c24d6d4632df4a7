# The loops that measure the machine: MLIR and LLVM's own tools compile
# probe.mlir.in once for each CPU level. A level's .step file holds what it does
# in one instruction or more: the products of a vector of codes (u8, at most 2)
# and one of activations (i8), added to an accumulator. Sets `probe_objects` for
# the runtime's library, which holds them, and writes Probes/Probes.inc, the
# table of them. A level with tiles has a loop of tiles.mlir.in as well.
foreach(tool mlir-opt mlir-translate opt llc)
  find_program(TERN_${tool} ${tool} PATHS ${LLVM_TOOLS_BINARY_DIR}
    NO_DEFAULT_PATH REQUIRED)
endforeach()
set(probe_passes
  --convert-scf-to-cf --expand-strided-metadata --convert-vector-to-llvm
  --finalize-memref-to-llvm
  --convert-func-to-llvm=use-bare-ptr-memref-call-conv=1
  --convert-arith-to-llvm --convert-index-to-llvm --convert-cf-to-llvm
  --reconcile-unrealized-casts)

set(probe_objects)
set(probe_table)

# BASE.mlir to BASE.o, with FLAGS of opt and llc behind BASE.
function(tern_compile_probe BASE)
  cmake_path(GET BASE FILENAME name)
  add_custom_command(OUTPUT ${BASE}.o
    COMMAND ${TERN_mlir-opt} ${probe_passes} ${BASE}.mlir -o ${BASE}.llvm.mlir
    COMMAND ${TERN_mlir-translate} --mlir-to-llvmir ${BASE}.llvm.mlir
      -o ${BASE}.ll
    COMMAND ${TERN_opt} -O3 ${ARGN} ${BASE}.ll -o ${BASE}.bc
    COMMAND ${TERN_llc} -O3 -relocation-model=pic -filetype=obj ${ARGN}
      ${BASE}.bc -o ${BASE}.o
    DEPENDS ${BASE}.mlir
    COMMENT "Compiling the probe ${name}"
    VERBATIM)
  set(probe_objects ${probe_objects} ${BASE}.o PARENT_SCOPE)
endfunction()

# LANES of 32 bits a vector; TOKENS x STRIPS accumulators, as the kernels' in
# lib/Conversion/TernaryToVector; NEEDS: TERN_FEATURE_* bits; FLAGS of llc; STEP:
# the level whose step it does, if not its own; TILES: it has tiles.
function(tern_add_probe LEVEL)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TILES" "LANES;TOKENS;STRIPS;NEEDS;STEP"
    "FLAGS")
  set(LANES ${arg_LANES})
  set(TOKENS ${arg_TOKENS})
  set(STRIPS ${arg_STRIPS})
  math(EXPR BYTES "4 * ${LANES}")
  if(NOT arg_STEP)
    set(arg_STEP ${LEVEL})
  endif()
  set(step ${CMAKE_CURRENT_SOURCE_DIR}/Probes/${arg_STEP}.step)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${step})
  file(READ ${step} STEP)
  set(base ${CMAKE_CURRENT_BINARY_DIR}/Probes/${LEVEL})
  configure_file(Probes/probe.mlir.in ${base}.mlir @ONLY)
  tern_compile_probe(${base} ${arg_FLAGS})
  set(tiles nullptr)
  if(arg_TILES)
    set(tiles tern_probe_tiles_${LEVEL})
    configure_file(Probes/tiles.mlir.in ${base}-tiles.mlir @ONLY)
    tern_compile_probe(${base}-tiles ${arg_FLAGS})
  endif()
  set(probe_objects ${probe_objects} PARENT_SCOPE)
  string(APPEND probe_table "PROBE(${LEVEL}, ${LANES}, ${TOKENS}, ${STRIPS}, "
    "${arg_NEEDS}, ${tiles})\n")
  set(probe_table "${probe_table}" PARENT_SCOPE)
endfunction()

# Best first, named as the levels in lib/Target/CPULevel.cpp.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  tern_add_probe(amx LANES 16 TOKENS 8 STRIPS 3 STEP avx512vnni TILES
    NEEDS "TERN_FEATURE_AVX512 | TERN_FEATURE_AVX512VNNI | TERN_FEATURE_AMX"
    FLAGS -mcpu=x86-64-v4 -mattr=+avx512vnni,+amx-tile,+amx-int8)
  tern_add_probe(avx512vnni LANES 16 TOKENS 8 STRIPS 3
    NEEDS "TERN_FEATURE_AVX512 | TERN_FEATURE_AVX512VNNI"
    FLAGS -mcpu=x86-64-v4 -mattr=+avx512vnni)
  tern_add_probe(avxvnni LANES 8 TOKENS 6 STRIPS 2
    NEEDS "TERN_FEATURE_AVX2 | TERN_FEATURE_AVXVNNI"
    FLAGS -mcpu=x86-64-v3 -mattr=+avxvnni)
  tern_add_probe(avx2 LANES 8 TOKENS 8 STRIPS 1 NEEDS TERN_FEATURE_AVX2
    FLAGS -mcpu=x86-64-v3)
  tern_add_probe(generic LANES 4 TOKENS 4 STRIPS 2 NEEDS 0
    FLAGS -mcpu=x86-64-v2)
else()
  tern_add_probe(generic LANES 4 TOKENS 4 STRIPS 2 NEEDS 0)
endif()
file(CONFIGURE OUTPUT Probes/Probes.inc CONTENT "${probe_table}" @ONLY)
