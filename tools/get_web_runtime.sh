#!/usr/bin/env bash
# Install onnxruntime-web from npm into rtser/serve/web/ort, where the page of `rtser serve` looks for it (15 MB). Git
# ignores it; a wheel that is built afterwards contains it.
set -euo pipefail
cd "$(dirname "$0")/.."
version=1.30.0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-fund --no-audit --ignore-scripts --prefix "$folder" "onnxruntime-web@$version"
mkdir -p rtser/serve/web/ort
for file in ort.wasm.min.mjs ort-wasm-simd-threaded.mjs ort-wasm-simd-threaded.wasm; do
  cp "$folder/node_modules/onnxruntime-web/dist/$file" rtser/serve/web/ort/
done
cp "$folder/node_modules/onnxruntime-web/LICENSE" rtser/serve/web/ort/ 2>/dev/null || true
