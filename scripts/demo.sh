#!/usr/bin/env bash
# Reads the samples with the shizi in folder $1: text on the terminal, pictures and searchable PDFs below out/demo.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$1
samples=(samples/invoice.png samples/receipt.jpg samples/report.pdf samples/turned.png)

title() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[[ -t 1 ]] || title() { printf '\n%s\n' "$*"; }

for sample in "${samples[@]}"; do
    if [[ ! -e $sample ]]; then
        scripts/fonts.sh
        "$bin/python" -m samples.draw
        break
    fi
done

title "The models (fetched once, checked by their SHA-256)"
"$bin/shizi" models pull

title "What shizi reads in samples/"
"$bin/shizi" read "${samples[@]}"

rm -rf out/demo
"$bin/shizi" read --quiet --format annotated --output-dir out/demo/annotated "${samples[@]}"
"$bin/shizi" read --quiet --format pdf --output-dir out/demo/searchable "${samples[@]}"

title "Written"
find out/demo -type f ! -name '.*' | sort | sed 's/^/  /'

title "Try next"
cat <<END
  source $bin/activate
  shizi read your-file.jpg                        your own photo, scan or PDF
  shizi read scan.pdf -f pdf -o searchable.pdf    a PDF that can be searched
  shizi read -r folder/ -O texts/ --resume        a whole folder, and go on after a break
  shizi doctor                                    what fits this machine
  docs/quickstart.md                              the rest
END
