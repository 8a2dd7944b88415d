# What set-up's scripts (tools/get_*) share; they read it with `.` after `part` is set to their name. Leaves the shell
# in the source tree's root. Needs: $part, and the script's arguments.
# shellcheck shell=sh
set -u
cd "$(dirname "$0")/.." || exit 1

log=build/setup.log
missing_file=build/setup-missing.txt
missing_folder=build/setup-missing

say() { printf 'set-up: %s\n' "$*"; }
warn() { printf 'set-up: %s\n' "$*" >&2; }

retry=no
tests=yes
portable=no
arm64=no
for argument in "$@"; do
  case "$argument" in
    --retry) retry=yes ;;
    --without-tests) tests=no ;;
    --portable) portable=yes ;;
    --arm64) arm64=yes ;;
    *)
      warn "usage: $0 [--retry] [--without-tests] [--portable] [--arm64]"
      exit 2
      ;;
  esac
done

# What is built here: for this machine, or with --arm64 for 64-bit ARM, where the part knows it (tools/get_arm64).
deps=build/deps
toolchain=
if [ $arm64 = yes ]; then
  deps=build/deps/arm64
  toolchain=-DCMAKE_TOOLCHAIN_FILE=$PWD/cmake/arm64.cmake
fi

# Each part notes what it could not get in a file of its own; together they are build/setup-missing.txt.
mkdir -p build/models $deps "$missing_folder" || exit 1
: >"$missing_folder/$part" || exit 1
collect_missing() { cat "$missing_folder"/* >"$missing_file"; }
collect_missing

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"; collect_missing' EXIT
trap 'exit 1' HUP INT TERM

# note_missing WHAT EFFECT: for the person now, and for the tests later.
note_missing() {
  warn "could not get $1: $2"
  printf '%s: %s\n' "$1" "$2" >>"$missing_folder/$part"
}

# has_checksum FILE SHA256
has_checksum() { [ -f "$1" ] && [ "$(sha256sum "$1" 2>/dev/null | cut -d ' ' -f 1)" = "$2" ]; }

# first_of NAME...: the first of these programs that is installed.
first_of() {
  for name in "$@"; do
    if command -v "$name" >/dev/null 2>&1; then
      echo "$name"
      return
    fi
  done
  return 1
}

# pip_download PACKAGE OPTIONS...: into $scratch/pip, without what the package depends on.
pip_download() {
  package=$1
  shift
  pip="python3 -m pip"
  if ! $pip --version >/dev/null 2>&1; then
    [ -x "$scratch/venv/bin/python" ] || python3 -m venv "$scratch/venv" >>"$log" 2>&1 || return 1
    pip="$scratch/venv/bin/python -m pip"
  fi
  $pip download --no-deps --timeout 15 --retries 1 --dest "$scratch/pip" "$@" "$package" >>"$log" 2>&1 </dev/null
}
