#!/bin/sh
# Without apt, set-up says what is missing and names the one command of the package manager that is there, and is
# content where everything is there. Runs in a copy, with a PATH that holds all programs but apt's.
set -eu
source=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/copy" "$scratch/bin"
cp -r "$source/setup" "$source/tools" "$source/cmake" "$scratch/copy"
cd "$scratch/copy"
ln -s /usr/bin/* "$scratch/bin"
rm -f "$scratch/bin/apt-get" "$scratch/bin/cmake"
export PATH="$scratch/bin"

fail() {
  echo "FAILED: $1"
  cat output
  exit 1
}

for manager in dnf pacman zypper brew; do
  rm -f "$scratch/bin/dnf" "$scratch/bin/pacman" "$scratch/bin/zypper" "$scratch/bin/brew"
  printf '#!/bin/sh\n' >"$scratch/bin/$manager"
  chmod +x "$scratch/bin/$manager"
  if ./setup >output 2>&1 </dev/null; then fail "set-up must fail without cmake"; fi
  grep -q 'missing here: .*cmake' output || fail "it must say that cmake is missing"
  [ "$(grep -c "^  .*$manager.* install\|^  .*$manager -S" output)" = 1 ] || fail "it must name one command with $manager"
done

rm "$scratch/bin/brew"
if ./setup >output 2>&1 </dev/null; then fail "set-up must fail without cmake and without a package manager"; fi
grep -q 'what these Debian packages contain' output || fail "it must say what is needed"

printf '#!/bin/sh\n' >"$scratch/bin/cmake"
chmod +x "$scratch/bin/cmake"
tools/check_packages >output 2>&1 || { grep 'missing here' output && echo "SKIPPED: not everything is installed here" && exit 77; }
grep -q 'packages: all here' output || fail "it must be content where everything is there"

for compiler in "$scratch"/bin/*clang++* "$scratch"/bin/*c++* "$scratch"/bin/*g++*; do
  rm -f "$compiler"
done
if tools/check_packages >output 2>&1; then fail "a compiler is needed"; fi
grep -q 'compiles coroutines rightly' output || fail "it must say which compiler is needed"
