#!/usr/bin/env bash
# Try the light install with the other installed versions of Python: every module compiles, every public name can be
# imported, and the bundled sample is recognised, with warnings as errors. tools/test.sh calls it.
#
# Each version gets .venv-VERSION in this checkout. A version that is not installed is skipped with a message.
set -euo pipefail
cd "$(dirname "$0")/.."

own=$("${PYTHON:-python3}" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
for version in 3.11 3.12 3.13; do
  [ "$version" != "$own" ] || continue
  python=
  for candidate in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python; do
    if "$candidate" -c 'import ensurepip' 2>/dev/null; then python=$candidate && break; fi
  done
  if [ -z "$python" ]; then
    echo "Python $version: not installed, skipped" >&2
    continue
  fi
  venv=.venv-$version
  [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
  pip=("$venv/bin/python" -m pip --quiet --disable-pip-version-check)
  if ! "${pip[@]}" install -c constraints.txt -r requirements-light.txt; then
    echo "Python $version: the packages cannot be installed, skipped" >&2
    continue
  fi
  "${pip[@]}" install --no-deps .
  "$venv/bin/python" -W error -m compileall -q -f rtser train/rtser_train
  (
    cd "$venv" # outside the checkout, so that the installed package is tested
    bin/python -W error -c 'import rtser; [getattr(rtser, name) for name in rtser.__all__]'
    bin/python -W error -m rtser demo --speed 0 --json | tail -n 1 | grep -q '"type": "end"'
  )
  echo "Python $version: the light install works" >&2
done
