#!/usr/bin/env bash
# Finds the pass that breaks a module: the first one after which a check fails.
#
# Usage: tools/dev/bisect-pass.sh CHECK FOLDER tern-opt INPUT.mlir OPTION...
#   CHECK   a program that is given a file and exits with 0 where that is still good
#   FOLDER  receives the module after each pass that changed it, 0001.mlir and so on
# Expects that once a module is broken, the modules after it are too. Example, to
# find what makes a multiplication appear:
#   printf '#!/bin/sh\n! grep -q arith.mulf "$1"\n' > check.sh; chmod +x check.sh
#   tools/dev/bisect-pass.sh ./check.sh ir build/bin/tern-opt in.mlir --tern-raise-pipeline
# Exits with 0 where a pass was found, with 1 where no module fails the check.
set -euo pipefail

if (($# < 4)); then
  sed -n '4,/^set /{/^#/s/^# \?//p}' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
check=$1
folder=$2
shift 2

mkdir -p "$folder"
rm -f "$folder"/[0-9][0-9][0-9][0-9].mlir
# A pipeline that fails midway is fine: what it printed until then counts.
"$@" --mlir-disable-threading --mlir-print-ir-module-scope --mlir-print-ir-after-all \
  --mlir-print-ir-after-change 2>"$folder/dump" >/dev/null || true
awk -v folder="$folder" '
  /^\/\/ -----\/\/ IR Dump After/ { file = sprintf("%s/%04d.mlir", folder, ++count) }
  file { print > file }' "$folder/dump"
modules=("$folder"/[0-9][0-9][0-9][0-9].mlir)
if [[ ! -f ${modules[0]} ]]; then
  echo "bisect-pass.sh: no pass changed the module; what tern-opt said is in $folder/dump" >&2
  exit 2
fi

good=-1 # index of the last module known to be good; -1: the input
bad=$((${#modules[@]} - 1))
if "$check" "${modules[$bad]}"; then
  echo "All ${#modules[@]} modules pass the check."
  exit 1
fi
while ((bad - good > 1)); do
  middle=$(((good + bad) / 2))
  if "$check" "${modules[$middle]}"; then
    good=$middle
  else
    bad=$middle
  fi
done

pass=$(sed -n '1s/.*IR Dump After \(.*\) \/\/-*.*/\1/p' "${modules[$bad]}")
echo "Broken by $pass"
if ((good >= 0)); then
  echo "  before: ${modules[$good]}"
fi
echo "  after:  ${modules[$bad]}"
