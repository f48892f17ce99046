#!/bin/sh
# Prints requirements/train.txt without torch, its CUDA packages and triton, for machines where a CPU build of torch is installed already.
exec awk '/^[a-zA-Z0-9]/ { keep = !/^(torch|triton|nvidia-|cuda-)/ } keep' "$(dirname "$0")/../requirements/train.txt"
