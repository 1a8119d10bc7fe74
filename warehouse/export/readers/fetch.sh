#!/bin/sh
# Fetches the readers of requirements.txt (DuckDB, pandas, pyarrow) into a Python environment in DIR.
# Usage: fetch.sh DIR        (the tests use DIR=.readers)
# Does nothing when DIR already has what requirements.txt names.
set -eu

dir=${1:?usage: fetch.sh DIR}
here=$(cd "$(dirname "$0")" && pwd)

if cmp -s "$here/requirements.txt" "$dir/.complete"; then
  exit 0
fi
command -v python3 >/dev/null 2>&1 || { echo "python3 is needed to read exports back" >&2; exit 1; }
python3 -m venv "$dir"
"$dir/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: -r "$here/requirements.txt"
cp "$here/requirements.txt" "$dir/.complete"
