#!/usr/bin/env bash
# Runs the accuracy benchmark with the Python in folder $1 on the labelled images in folder $2: one set, or a folder of sets.
# SETS="a b" takes only these of the folder; ENGINES="shizi tesseract" measures others; LIMIT=5 takes the first five images of each.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${2:-}
if [[ -z $data ]]; then
    cat <<END
The benchmarks need labelled images of your own: a folder with images/ and labels.jsonl, or a folder of such folders.
  make bench DATA=/path/to/folder
docs/benchmarking.md says the format. To measure speed alone, with no labels:  $1/shizi bench [FILES]
END
    exit 0
fi
arguments=()
for engine in ${ENGINES:-shizi shizi-onnx rapidocr-onnx rapidocr-openvino}; do
    arguments+=(--engine "$engine")
done
if [[ -n ${SETS:-} ]]; then
    for set in $SETS; do
        arguments+=(--data "$data/$set")
    done
else
    arguments+=(--data "$data")
fi
[[ -z ${LIMIT:-} ]] || arguments+=(--limit "$LIMIT")
mkdir -p out
"$1/python" -m benchmarks.accuracy "${arguments[@]}" --markdown out/bench.md --json out/bench.json
echo "Written: out/bench.md, out/bench.json" >&2
