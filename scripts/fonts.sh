#!/usr/bin/env bash
# The tests and samples draw with the fonts of two Debian packages; installs them where that is possible, else says what to do.
set -euo pipefail

missing=()
[[ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ]] || missing+=(fonts-noto-cjk)
[[ -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ]] || missing+=(fonts-dejavu-core)
((${#missing[@]})) || exit 0

if command -v apt-get >/dev/null; then
    if ((EUID == 0)); then
        root=()
    elif sudo -n true 2>/dev/null; then
        root=(sudo)
    else
        echo "Fonts are missing that the tests draw with. Please run:  sudo apt-get install ${missing[*]}" >&2
        exit 1
    fi
    echo "Installing ${missing[*]}" >&2
    "${root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    exit 0
fi

echo "Fonts are missing that the tests draw with: Debian's packages ${missing[*]}." >&2
echo "Install Noto Sans/Serif CJK and DejaVu so that these files exist:" >&2
echo "  /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc  /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf" >&2
exit 1
