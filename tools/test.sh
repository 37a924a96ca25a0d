#!/usr/bin/env bash
# Install everything that the tests need, also system packages, and run the tests. Other installed versions of Python
# get the light install and are tested too (tools/other_pythons.sh). For a fresh Debian or Ubuntu machine:
#
#     tools/test.sh [pytest options]
#
# Test files run in parallel, one on each core, at most four. To run them one after another: tools/test.sh -n 0
#
# The Python packages go into .venv in this checkout. RTSER_DATA names a folder of real speech; without it, the tests
# that need it are skipped, and the training chain runs on synthetic speech.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(espeak-ng mosquitto openssl libportaudio2 libasound2-plugins pulseaudio pulseaudio-utils tmux python3-venv)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing+=("$package")
done
command -v node >/dev/null && command -v npm >/dev/null || missing+=(nodejs npm) # other package sources have both in one package
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
install() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; }
browser=() # Ubuntu has Chromium only as a snap, which the tests cannot use
command -v chromium chromium-browser google-chrome >/dev/null || browser=(chromium)
if [ ${#missing[@]} -gt 0 ] || [ ${#browser[@]} -gt 0 ]; then
  "${as_root[@]}" apt-get update -qq
  [ ${#missing[@]} -eq 0 ] || install "${missing[@]}"
  [ ${#browser[@]} -eq 0 ] || install chromium || echo "There is no Chromium: the tests of the web page are skipped." >&2
fi

python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (PYTHON=...)." >&2; exit 2; }
[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'

[ -e rtser/serve/web/ort/ort.wasm.min.mjs ] || tools/get_web_runtime.sh

.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/mypy
.venv/bin/lint-imports
PYTHON=.venv/bin/python tools/other_pythons.sh
cores=$(nproc)                               # before OMP_NUM_THREADS, which changes nproc
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} # threads of each test process
.venv/bin/python -m pytest -n "$cores" --maxprocesses 4 --dist loadfile "$@"
