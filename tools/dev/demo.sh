#!/usr/bin/env bash
# From a fresh clone to a story: sets up, builds the compiler, makes the ONNX file
# of examples/story and compiles it to a native executable in build/story, then
# lets that tell a story. What is up to date is not made again.
#
# Usage: tools/dev/demo.sh [PROMPT]
# The story goes to standard output, all else to standard error.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
story=$root/build/story
prompt=${1:-Once upon a time there was a}

note() { printf '[demo] %s\n' "$*" >&2; }

# True where file $1 is there and newer than all of the files and folders after it.
is_newer() {
  local made=$1
  shift
  [[ -f $made && -z $(find "$@" -type f -newer "$made" -not -name '*.pyc' -print -quit) ]]
}

"$root/tools/dev/setup.sh" ternc
mkdir -p "$story"

if ! is_newer "$story/model.onnx" "$root/examples/story" "$root/python/ternc"; then
  note "Exporting examples/story to build/story/model.onnx"
  PYTHONPATH=$root/python "$root/build/venv/bin/python" -m ternc.export \
    "$root/examples/story" -o "$story/model.onnx" >&2
fi
if ! is_newer "$story/story" "$story/model.onnx" "$root/build/bin/ternc" \
  "$root"/build/lib/libTernRuntime*.a; then
  note "Compiling build/story/model.onnx to build/story/story"
  "$root/build/bin/ternc" "$story/model.onnx" -o "$story/story" >&2
fi

note "build/story/story \"$prompt\""
exec "$story/story" "$prompt" -n 200 --temperature 0.8 --top-p 0.9 --repetition-penalty 1.1
