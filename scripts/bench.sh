#!/usr/bin/env bash
# Runs the accuracy benchmark with the Python in folder $1 on the labelled images in folder $2.
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ -z $2 ]]; then
    cat <<END
The benchmarks need labelled images of your own: a folder with images/ and labels.jsonl (benchmarks/ says the format).
  make bench DATA=/path/to/folder
END
    exit 0
fi
exec "$1/python" -m benchmarks.accuracy --data "$2"
