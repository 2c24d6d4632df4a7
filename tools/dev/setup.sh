#!/usr/bin/env bash
# Makes a clone ready to work in and builds it: Debian packages, the Python
# environment build/venv, onnx's C++ library in build/deps/onnx, the configured
# build folder, and the targets asked for. A step leaves a stamp of what it was
# made from and is skipped while that has not changed, so that a second run takes
# seconds and an interrupted one goes on where it stopped.
#
# Usage: tools/dev/setup.sh [--sanitizers] [TARGET...]
#   TARGETs (default: everything) are built in build/; with --sanitizers, with
#   AddressSanitizer and UBSan in build/asan.
# Progress goes to standard error. CCACHE_DIR, if set, is respected.
set -euo pipefail
export LC_ALL=C.UTF-8

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
venv=$root/build/venv
onnx=$root/build/deps/onnx
state=$root/build/.setup # stamps and logs
llvm=/usr/lib/llvm-22

note() { printf '[setup] %s\n' "$*" >&2; }
fail() {
  printf '[setup] error: %s\n' "$*" >&2
  exit 1
}

# True where step $1 was last done from the key $2.
is_current() { [[ -f $state/$1.stamp && $(<"$state/$1.stamp") == "$2" ]]; }

# Runs step $1, described by $2, as the command that follows; its output goes to
# a log that is shown in part where the step fails.
run_step() {
  local name=$1 text=$2 start=$SECONDS status=0
  local log=$state/$name.log
  shift 2
  note "$text ..."
  set +e
  (set -e && "$@") >"$log" 2>&1 </dev/null
  status=$?
  set -e
  if ((status != 0)); then
    tail -n 25 "$log" >&2
    fail "$text: failed with status $status; the whole log is $log"
  fi
  note "$text: done in $((SECONDS - start)) s"
}

# Runs step $1 unless it was done from key $2; $3 and the rest as in run_step.
ensure_step() {
  local name=$1 key=$2
  shift 2
  if is_current "$name" "$key"; then
    return
  fi
  rm -f "$state/$name.stamp"
  run_step "$name" "$@"
  printf '%s\n' "$key" >"$state/$name.stamp"
}

hash_of() { sha256sum | cut -d' ' -f1; }

#--- Debian packages -----------------------------------------------------------

list_packages() { grep -Ev '^(#|$)' "$root/tools/dev/debian-packages.txt" | sort; }

list_missing_packages() {
  local installed
  # dpkg-query fails where a package is unknown; the others are still printed.
  # shellcheck disable=SC2016,SC2046 # dpkg's own variables; names have no spaces
  installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' \
    $(list_packages) 2>/dev/null | awk '$2 == "installed" { print $1 }' | sort -u) || true
  comm -23 <(list_packages) <(printf '%s\n' "$installed")
}

install_packages() {
  export DEBIAN_FRONTEND=noninteractive
  local as_root=()
  if ((EUID != 0)); then
    as_root=(sudo --preserve-env=DEBIAN_FRONTEND)
  fi
  "${as_root[@]}" apt-get update
  "${as_root[@]}" apt-get install --yes --no-install-recommends "$@"
}

ensure_packages() {
  command -v dpkg-query >/dev/null ||
    fail "found no dpkg: expected Debian 12 or later (packages: tools/dev/debian-packages.txt)"
  local missing
  mapfile -t missing < <(list_missing_packages)
  if ((${#missing[@]} == 0)); then
    return
  fi
  if ((EUID != 0)) && ! command -v sudo >/dev/null; then
    fail "packages are missing, and this is neither root nor is sudo there. As root, run:
  apt-get install --no-install-recommends ${missing[*]}"
  fi
  run_step packages "Installing ${#missing[@]} Debian packages" \
    install_packages "${missing[@]}"
}

#--- Python environment --------------------------------------------------------

make_venv() {
  rm -rf "$venv"
  /usr/bin/python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --no-cache-dir --disable-pip-version-check \
    --requirement "$root/python/requirements-dev.txt"
}

ensure_venv() {
  local key
  key=$({
    echo "$venv"
    /usr/bin/python3 --version
    cat "$root"/python/requirements*.txt
  } | hash_of)
  ensure_step venv "$key" "Installing Python packages into build/venv" make_venv
}

#--- onnx's C++ library --------------------------------------------------------

build_onnx() {
  local work=$root/build/deps/onnx-work
  rm -rf "$work" "$onnx"
  mkdir -p "$work/source"
  "$venv/bin/python" -m pip download --no-cache-dir --disable-pip-version-check \
    --no-deps --no-binary onnx --require-hashes --dest "$work" \
    --requirement "$root/tools/dev/onnx-source.txt"
  tar -xzf "$work"/onnx-*.tar.gz -C "$work/source" --strip-components=1
  "$venv/bin/cmake" -G Ninja -S "$work/source" -B "$work/build" \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_POSITION_INDEPENDENT_CODE=ON \
    -DCMAKE_C_COMPILER=/usr/bin/clang-22 -DCMAKE_CXX_COMPILER=/usr/bin/clang++-22 \
    -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache \
    -DCMAKE_INSTALL_PREFIX="$onnx" -DPython3_EXECUTABLE="$venv/bin/python" \
    -DONNX_ML=1 -DONNX_BUILD_PYTHON=OFF -DONNX_USE_PROTOBUF_SHARED_LIBS=ON
  "$venv/bin/cmake" --build "$work/build"
  "$venv/bin/cmake" --install "$work/build"
  rm -rf "$work"
}

ensure_onnx() {
  local key
  key=$({
    echo "$onnx"
    clang++-22 --version
    cat "$root/tools/dev/onnx-source.txt"
    declare -f build_onnx
  } | hash_of)
  ensure_step onnx "$key" "Building onnx's C++ library (about 2 minutes)" build_onnx
}

#--- Configure and build -------------------------------------------------------

# configure FOLDER ON|OFF (sanitizers)
configure() {
  "$venv/bin/cmake" --fresh -G Ninja -S "$root" -B "$1" \
    -DCMAKE_PREFIX_PATH="$llvm;$onnx" \
    -DCMAKE_C_COMPILER=/usr/bin/clang-22 -DCMAKE_CXX_COMPILER=/usr/bin/clang++-22 \
    -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache \
    -DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld -DCMAKE_SHARED_LINKER_FLAGS=-fuse-ld=lld \
    -DPython3_EXECUTABLE="$venv/bin/python" \
    -DTERN_ENABLE_SANITIZERS="$2"
}

ensure_configured() {
  local folder=$1 sanitizers=$2 name=$3 key
  key=$({
    echo "$folder"
    declare -f configure
    cat "$state/venv.stamp" "$state/onnx.stamp"
    dpkg-query -W libmlir-22-dev clang-22
  } | hash_of)
  [[ -f $folder/build.ninja ]] || rm -f "$state/$name.stamp"
  ensure_step "$name" "$key" "Configuring ${folder#"$root/"}" configure "$folder" "$sanitizers"
}

# build FOLDER NAME TARGET...
build() {
  local folder=$1 name=$2
  shift 2
  local steps text="Building ${*:-everything} in ${folder#"$root/"}"
  # A dry run, to stay silent where there is nothing to do.
  steps=$(ninja -C "$folder" -n "$@" 2>&1 | grep -c '^\[' || true)
  if ((steps == 0)); then
    return
  fi
  if [[ -t 2 ]]; then
    note "$text ..."
    ninja -C "$folder" "$@" >&2 || fail "$text: failed; the messages are above"
  else
    run_step "$name" "$text" ninja -C "$folder" "$@"
  fi
}

#--- All of it -----------------------------------------------------------------

folder=$root/build sanitizers=OFF suffix=
if [[ ${1:-} == --sanitizers ]]; then
  folder=$root/build/asan sanitizers=ON suffix=-asan
  shift
fi
if [[ ${1:-} == -* ]]; then
  fail "unknown option $1: expected [--sanitizers] [TARGET...]"
fi

mkdir -p "$state"
exec 9>"$state/lock"
flock --nonblock 9 || {
  note "Waiting for another run in this clone ..."
  flock 9
}
export CCACHE_DIR=${CCACHE_DIR:-$root/build/ccache} CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
ensure_packages
ensure_venv
ensure_onnx
ensure_configured "$folder" "$sanitizers" "configure$suffix"
build "$folder" "build$suffix" "$@"
