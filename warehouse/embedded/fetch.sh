#!/bin/sh
# Fetches the ClickHouse engine (libchdb) into DIR, pinned by npm/package-lock.json.
# Usage: fetch.sh DIR        (the repository uses DIR=.engine)
# Does nothing when DIR already has what the lock file names.
set -eu

dir=${1:?usage: fetch.sh DIR}
here=$(cd "$(dirname "$0")" && pwd)
unpacked_mb=546

platform="$(uname -s)/$(uname -m)"
case "$platform" in
  Linux/x86_64) package=lib-linux-x64-gnu ;;
  *)
    echo "The embedded ClickHouse engine is pinned and tested on Linux/x86_64 only, not $platform: use a ClickHouse server with --clickhouse URL" >&2
    echo "(or set PUNCHCARD_ENGINE_LIBRARY to a libchdb 26.7.3 of your own)." >&2
    exit 1
    ;;
esac
if ldd --version 2>&1 | grep -qi musl; then
  echo "The embedded ClickHouse engine needs glibc, and this system has musl: use a ClickHouse server with --clickhouse URL." >&2
  exit 1
fi

library="$dir/node_modules/@chdb/$package/libchdb.so"
if [ -f "$library" ] && cmp -s "$here/npm/package-lock.json" "$dir/package-lock.json" && [ -f "$dir/.complete" ]; then
  exit 0
fi
if ! command -v npm >/dev/null 2>&1; then
  echo "npm (Node 18 or newer) is needed to fetch the engine: install Node, or use a ClickHouse server with --clickhouse URL." >&2
  exit 1
fi

mkdir -p "$dir"
rm -f "$dir/.complete"
cp "$here/npm/package.json" "$here/npm/package-lock.json" "$dir/"
echo "Fetching the ClickHouse engine for $platform (npm package @chdb/$package 26.7.3-stable.1, $unpacked_mb MB unpacked) into $dir ..."

(cd "$dir" && exec npm ci --no-audit --no-fund --ignore-scripts --loglevel=error >npm.log 2>&1) &
npm=$!
trap 'kill "$npm" 2>/dev/null || true' INT TERM
seconds=0
while kill -0 "$npm" 2>/dev/null; do
  sleep 1
  seconds=$((seconds + 1))
  if [ $((seconds % 3)) -eq 0 ]; then
    here_mb=$(du -sm "$dir" 2>/dev/null | cut -f1)
    echo "  ${here_mb:-0} of $unpacked_mb MB unpacked, ${seconds} s"
  fi
done
if ! wait "$npm"; then
  head -n 20 "$dir/npm.log" >&2
  echo "Fetching the engine failed (npm's message is above). Try again, or use a ClickHouse server with --clickhouse URL." >&2
  exit 1
fi
if [ ! -f "$library" ]; then
  echo "npm finished, but $library is not there: the package has no engine for $platform. Use a ClickHouse server with --clickhouse URL." >&2
  exit 1
fi
: >"$dir/.complete"
echo "The ClickHouse engine is in $dir ($(du -sm "$dir" | cut -f1) MB)."
