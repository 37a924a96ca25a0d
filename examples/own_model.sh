#!/usr/bin/env bash
# From your own corpus to your own model (extra train):
#
#     examples/own_model.sh table.csv recording.wav OUT
#
# table.csv has the columns path, emotion and speaker, and at least six speakers. recording.wav is then recognised with
# the new model. OUT is a folder for the run and for the model file. The experiment is own_model.yaml beside this script:
# change its emotions to yours.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
table=$1 recording=$2 out=$3

rtser train "$here/own_model.yaml" --corpus "mine=$table" -o "$out/run"      # continues an interrupted run
rtser evaluate "$out/run" --corpus "mine=$table"                             # UA on unheard speakers
rtser export "$out/run" -o "$out/mine.onnx" --corpus "mine=$table"           # the final model, verified against PyTorch
rtser info "$out/mine.onnx"
rtser file "$recording" --model "$out/mine.onnx"
