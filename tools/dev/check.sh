#!/usr/bin/env bash
# Everything that must hold before a change lands; continuous integration runs
# just this. Sets up and builds, checks the formatting, then runs the lit, GoogleTest
# and pytest suites, and those of the importer and the runtime once more
# under AddressSanitizer and UBSan, with short runs of the fuzzers. The last line is `N passed, N failed`, with
# `, N skipped` where some were.
#
# Usage: tools/dev/check.sh [--filter REGEX] [--no-asan]
#   --filter REGEX  only the tests whose name matches
#   --no-asan       leave out the build with sanitizers
# Reports and logs are in build/check. Exits with 1 where a test failed.
set -euo pipefail
export LC_ALL=C.UTF-8

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
python=$root/build/venv/bin/python
lit=/usr/lib/llvm-22/bin/lit
reports=$root/build/check
filter=
asan=yes

usage() {
  sed -n '2,/^set /{/^#/s/^# \?//p}' "${BASH_SOURCE[0]}"
}

while (($#)); do
  case $1 in
  --filter)
    (($# > 1)) || { echo "check.sh: --filter needs a regular expression" >&2; exit 2; }
    filter=$2
    shift 2
    ;;
  --no-asan)
    asan=
    shift
    ;;
  --help | -h)
    usage
    exit 0
    ;;
  *)
    echo "check.sh: unknown argument '$1': expected --filter REGEX or --no-asan" >&2
    exit 2
    ;;
  esac
done

# run_suite NAME REPORT COMMAND...: runs a suite, shows what it prints, and notes
# its exit status and its report (a path, or - for none) for the summary.
run_suite() {
  local name=$1 report=$2 status=0
  shift 2
  printf '[check] %s ...\n' "$name"
  [[ $report == - ]] || rm -f "$report"
  "$@" </dev/null || status=$?
  printf '%s\t%s\t%s\n' "$name" "$status" "$report" >>"$reports/suites.tsv"
}

run_lit() { # NAME BUILD_FOLDER FILTER (empty: all tests)
  local lit=("$lit" -sv --no-progress-bar ${3:+--filter "$3"})
  # Not piped into grep: it would close the pipe at the first match, and lit's
  # complaint about that would look like "no tests".
  local tests
  tests=$("${lit[@]}" --allow-empty-runs --show-tests "$2/test" 2>&1)
  # --show-tests knows no filter.
  if [[ -z $3 ]] || grep -qiP -- "$3" <<<"$tests"; then
    run_suite "$1" "$reports/$1.xml" \
      "${lit[@]}" --xunit-xml-output "$reports/$1.xml" "$2/test"
  fi
}

# The GoogleTest programs of a build folder are named <Component>Tests.
run_gtests() { # PREFIX BUILD_FOLDER
  local program name tests
  for program in "$2"/bin/*Tests; do
    [[ -x $program ]] || continue
    name=$1$(basename "$program")
    tests='*'
    if [[ -n $filter ]]; then
      tests=$("$program" --gtest_list_tests | awk -v filter="$filter" '
        /^[^ ]/ { suite = $1 }
        /^ / && (suite $1) ~ filter { printf "%s%s:", suite, $1 }')
      [[ -n $tests ]] || continue
    fi
    run_suite "$name" "$reports/$name.xml" "$program" --gtest_brief=1 \
      --gtest_filter="$tests" --gtest_output="xml:$reports/$name.xml"
  done
}

run_pytest() {
  local tests=("$root/test/Python")
  export PYTHONPATH=$root/python PATH=$root/build/bin:$PATH
  local pytest=("$python" -m pytest -q --rootdir "$root/test/Python"
    -o cache_dir="$root/build/pytest-cache" --basetemp "$root/build/pytest-files")
  if [[ -n $filter ]]; then
    mapfile -t tests < <(cd "$root/test/Python" &&
      "${pytest[@]}" --collect-only . | grep -E '::' | grep -E -- "$filter")
    ((${#tests[@]})) || return 0
  fi
  run_suite pytest "$reports/pytest.xml" env -C "$root/test/Python" \
    "${pytest[@]}" --junitxml "$reports/pytest.xml" "${tests[@]}"
}

check_format() {
  cd "$root"
  git ls-files -z '*.cpp' '*.h' |
    xargs -0 -r -n 16 -P "$(nproc)" clang-format-22 --dry-run -Werror || {
    echo "To mend it: git ls-files '*.cpp' '*.h' | xargs clang-format-22 -i"
    return 1
  }
}

if [[ $root == *[[:space:]]* ]]; then
  echo "check.sh: lit cannot run tests below '$root': expected a path without spaces" >&2
  exit 2
fi
"$root/tools/dev/setup.sh"
mkdir -p "$reports"
: >"$reports/suites.tsv"

[[ -n $filter ]] || run_suite format - check_format
run_lit lit "$root/build" "$filter"
run_gtests '' "$root/build"
run_pytest
if [[ -n $asan ]]; then
  "$root/tools/dev/setup.sh" --sanitizers TernSanitizedTests
  # MLIR's library is built without sanitizers, and shares containers and arenas
  # with ours.
  # A fault ends in a signal: an exit status could pass for one that a test expects.
  export ASAN_OPTIONS=detect_container_overflow=0:allow_user_poisoning=0:abort_on_error=1
  export UBSAN_OPTIONS=print_stacktrace=1:abort_on_error=1
  run_lit asan-lit "$root/build/asan" "(?=.*:: (Fuzz|Import|Runtime)/)(?=.*$filter)"
  # The runtime's are all our code, and its pool poisons what nobody holds.
  export ASAN_OPTIONS=abort_on_error=1
  run_gtests asan- "$root/build/asan"
fi

"$python" "$root/tools/dev/summarize-tests.py" "$reports/suites.tsv"
