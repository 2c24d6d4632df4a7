"""lit configuration: what a test file is, and the tools it may call."""

import ctypes
import os

import lit.formats
from lit.llvm import llvm_config
from lit.llvm.subst import ToolSubst

config.name = "Tern"
config.test_format = lit.formats.ShTest(execute_external=True)
config.suffixes = [".mlir", ".test"]
config.excludes = ["CMakeLists.txt", "Inputs", "lit.cfg.py", "lit.site.cfg.py"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.tern_obj_root, "test")

config.substitutions += [
    ("%python", config.python),
    ("%examples", os.path.join(config.tern_src_root, "examples")),
    ("%src_root", config.tern_src_root),
    ("%mlir_lib_dir", config.mlir_lib_dir),
    ("%llvm_include_dir", config.llvm_include_dir),
]
config.environment["PYTHONPATH"] = os.path.join(config.tern_src_root, "python")

llvm_config.with_system_environment(["HOME", "TMP", "TEMP"])
llvm_config.use_default_substitutions()
llvm_config.with_environment("PATH", config.llvm_tools_dir, append_path=True)
llvm_config.with_environment("PATH", config.tern_tools_dir, append_path=True)
# A build with sanitizers has only some of the tools.
llvm_config.add_tool_substitutions(
    [ToolSubst(tool, unresolved="ignore") for tool in
     ["tern-opt", "ternc", "tern-reduce", "tern-lsp-server", "mlir-opt", "mlir-runner"]],
    [config.tern_tools_dir, config.llvm_tools_dir],
)


def vector_features():
    """The targets of the vector lowering that this machine can run."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
            flags = next((line for line in cpuinfo if line.startswith("flags")), "").split()
    except OSError:
        return []
    avx512 = {"avx512vl", "avx512bw", "avx512_vnni"}.issubset(flags)
    tiles = avx512 and {"amx_tile", "amx_int8", "gfni"}.issubset(flags)
    targets = {"avx2": "avx2" in flags, "avxvnni": avx512 or "avx_vnni" in flags,
               "avx512vnni": avx512, "avx512vbmi": avx512 and "avx512vbmi" in flags,
               "amx": tiles and permits_tiles()}
    return [target for target, runs in targets.items() if runs]


def permits_tiles():
    """Whether Linux lets a process use AMX: arch_prctl(ARCH_REQ_XCOMP_PERM, XTILEDATA)."""
    return ctypes.CDLL(None).syscall(158, 0x1023, 18) == 0


config.available_features.update(vector_features())
# Fuzzers are part of a build with sanitizers.
if os.path.exists(os.path.join(config.tern_tools_dir, "NpzFuzzer")):
    config.available_features.add("fuzzers")
