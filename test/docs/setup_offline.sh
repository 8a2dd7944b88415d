#!/bin/sh
# Set-up without a network succeeds, says what is missing, and takes the model from a folder nearby only when
# its checksum is right. Runs in a copy, so that the real build folder stays as it is.
set -eu
source=$1
model=silero_vad_16k_op15.onnx
[ -z "$(grep -h . "$source/build/setup-missing.txt" 2>/dev/null)" ] || { echo "SKIPPED: set-up is incomplete here"; exit 77; }
command -v apt-get >/dev/null || { echo "SKIPPED: no apt here"; exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/copy" "$scratch/shared/models"
cp -r "$source/setup" "$source/tools" "$source/cmake" "$scratch/copy"
cd "$scratch/copy"
unset DICTUM_TEST_DATA
export PIP_NO_INDEX=1 PIP_FIND_LINKS= https_proxy=http://127.0.0.1:9 http_proxy=http://127.0.0.1:9

fail() {
  echo "FAILED: $1"
  cat output build/setup.log
  exit 1
}

./setup >output 2>&1 </dev/null || fail "set-up without a network must succeed"
grep -q 'energy detector' output || fail "it must say what the lack of the model means"
grep -q 'Silero' build/setup-missing.txt || fail "it must note the missing model for the tests"

echo 'not a model' >"$scratch/shared/models/$model"
./setup >output 2>&1 </dev/null || fail "a wrong file nearby must not stop it"
[ ! -e "build/models/$model" ] || fail "a file with a wrong checksum must not be taken"
grep -q 'checksum is wrong' output || fail "it must say that the checksum is wrong"

if [ -f "$source/build/models/$model" ]; then
  cp "$source/build/models/$model" "$scratch/shared/models/$model"
  ./setup >output 2>&1 </dev/null || fail "with the model nearby it must succeed"
  cmp -s "$source/build/models/$model" "build/models/$model" || fail "it must take the model from nearby"
  ! grep -q Silero build/setup-missing.txt || fail "the model is not missing then"
  grep -q Python build/setup-missing.txt || fail "it must note the missing Python environment for the tests"

  rm "build/models/$model"
  tools/get_silero_model >output 2>&1 </dev/null || fail "a part must be runnable by itself"
  cmp -s "$source/build/models/$model" "build/models/$model" || fail "it must take the model from nearby, by itself too"
  grep -q Python build/setup-missing.txt || fail "a part that is run by itself must leave the notes of the others"
fi
