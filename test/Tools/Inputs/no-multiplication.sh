#!/bin/sh
# For bisect-pass.sh: a module is good while it multiplies no floats.
! grep -q llvm.fmul "$1"
