#!/bin/sh
# Where set-up gets Whisper's model from: its publisher, a folder nearby, PyPI; and what it says where none of them can be
# reached. Runs in a copy; the publisher is a server on this machine. (PyPI is left out: it is another machine.)
set -eu
source=$1
model=ggml-base-q8_0.bin
found=
for folder in "$source/build/models" ${DICTUM_TEST_DATA:+"$DICTUM_TEST_DATA/models"} "$source/../shared/models"; do
  if [ -f "$folder/$model" ]; then found=$(cd "$folder" && pwd); fi
done
[ -n "$found" ] || { echo "SKIPPED: there is no $model here"; exit 77; }

scratch=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill $server; rm -rf "$scratch"' EXIT
mkdir -p "$scratch/copy" "$scratch/nearby" "$scratch/publisher"
cp -r "$source/tools" "$source/cmake" "$scratch/copy"
cd "$scratch/copy"
unset DICTUM_TEST_DATA DICTUM_MODELS_DIR DICTUM_MODEL_DIR http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
export PIP_NO_INDEX=1 PIP_FIND_LINKS= DICTUM_MODELS_URL=http://127.0.0.1:9 DICTUM_WHISPER_URL=http://127.0.0.1:9

fail() {
  echo "FAILED: $1"
  cat output build/setup.log 2>/dev/null
  exit 1
}
get() { tools/get_whisper_model "$@" >output 2>&1 </dev/null || fail "set-up must succeed without a model"; }

get
grep -q 'could not get the Whisper model: .*dictum models pull base-q8_0' output || fail "it must name the command that gets the model"
grep -q 'the Whisper model' build/setup-missing.txt || fail "it must note the missing model"

echo 'not a model' >"$scratch/nearby/$model"
DICTUM_MODELS_DIR=$scratch/nearby get
grep -q 'checksum is wrong' output || fail "it must say that a file nearby is another one"
[ ! -e build/models/$model ] || fail "it must not take a file with a wrong checksum"

DICTUM_MODEL_DIR=$found get
grep -q 'taken from a folder nearby, checksum right' output || fail "it must take the model from a folder nearby"
cmp -s "$found/$model" build/models/$model || fail "the model must be the one nearby"
[ ! -s build/setup-missing.txt ] || fail "nothing is missing then"
get
grep -q 'Whisper model: here' output || fail "it must leave what is here alone"

rm build/models/$model
cp "$found/$model" "$scratch/publisher"
python3 -u -m http.server --bind 127.0.0.1 --directory "$scratch/publisher" 0 >"$scratch/server" 2>&1 &
server=$!
until grep -q 'http://127.0.0.1:' "$scratch/server"; do kill -0 $server || fail "the test's server ended"; done
DICTUM_MODELS_URL=$(sed -n 's|.*(\(http://127.0.0.1:[0-9]*\)/).*|\1|p' "$scratch/server")
get --retry
grep -q 'downloaded from its publisher, checksum right' output || fail "it must download the model from its publisher"
cmp -s "$found/$model" build/models/$model || fail "the downloaded model must be the publisher's"

tools/get_whisper >output 2>&1 </dev/null || fail "set-up must succeed without whisper.cpp"
grep -q 'is installed on this machine\|could not get whisper.cpp: PocketSphinx transcribes instead' output || fail "it must say what the lack of whisper.cpp means"
