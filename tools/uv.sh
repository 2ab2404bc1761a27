#!/bin/sh
# Runs uv: the one on the PATH if it works (pyenv leaves shims that do not), else one installed into .uv.
set -eu
if uv --version >/dev/null 2>&1; then
  exec uv "$@"
fi
if ! .uv/bin/uv --version >/dev/null 2>&1; then
  echo "installing uv into .uv" >&2
  rm -rf .uv
  for python in python3 python; do
    if "$python" -m venv .uv >/dev/null 2>&1; then break; fi
  done
  if [ ! -x .uv/bin/pip ]; then
    echo "make: a Python 3 with its venv module is needed (Debian and Ubuntu: apt-get install python3-venv)" >&2
    exit 2
  fi
  .uv/bin/pip install --quiet --disable-pip-version-check 'uv>=0.8,<1' >&2
fi
exec .uv/bin/uv "$@"
