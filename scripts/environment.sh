#!/usr/bin/env bash
# Makes the virtual environment $1 and installs shizi into it, with the extra $2 if there is one, and the exact versions of
# constraints.txt.
# PYTHON=/path/to/python3 chooses the interpreter; otherwise the first one of 3.11 or later on the PATH is taken.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1
extra=${2:+[$2]}

say() { printf '%s\n' "$*" >&2; }

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.11 python3.12 python3.13 python3.14 python}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    say "shizi needs Python 3.11 or later, and ${PYTHON:-no python3 on the PATH} is not."
    say "On Debian 12 or later:  sudo apt-get install python3 python3-venv"
    say "With Python elsewhere:  make PYTHON=/path/to/python3 demo"
    return 1
}

if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    python=$(find_python)
    if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        say "$python has no module venv or ensurepip, which make environments."
        say "On Debian or Ubuntu:  sudo apt-get install python3-venv   (or python$version-venv)"
        exit 1
    fi
    say "Making the environment $venv with $("$python" --version)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi

pip=("$venv/bin/python" -m pip --disable-pip-version-check --quiet)
say "Installing shizi$extra into $venv (the first time this fetches about 200 MB)"
"${pip[@]}" install --constraint constraints.txt --upgrade pip
"${pip[@]}" install --constraint constraints.txt --build-constraint constraints.txt --editable ".$extra"
