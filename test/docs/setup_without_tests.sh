#!/bin/sh
# `./setup --without-tests` asks apt for what building needs and for nothing that only tests need; `./setup` for both.
# Runs in a copy, with an apt that has every package and writes down which ones it is to install.
set -eu
source=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/copy" "$scratch/bin"
cp -r "$source/setup" "$source/tools" "$scratch/copy"
cd "$scratch/copy"
ln -s /usr/bin/* "$scratch/bin"
for program in apt-get apt-cache dpkg-query sudo; do
  rm -f "$scratch/bin/$program"
  printf '#!/bin/sh\n' >"$scratch/bin/$program"
  chmod +x "$scratch/bin/$program"
done
echo 'echo "  Candidate: 1"' >>"$scratch/bin/apt-cache"
cat >>"$scratch/bin/apt-get" <<'APT'
case " $* " in *" --simulate "*) exit ;; esac
case " $* " in *" install "*) for word; do echo "$word"; done >"$ASKED" ;; esac
APT
export PATH="$scratch/bin" ASKED="$scratch/asked"

fail() {
  echo "FAILED: $1"
  cat "$ASKED"
  exit 1
}

# packages KIND: the names in the list, of alternatives the first.
packages() { sed -n "s/^$1  *\([^ |]*\).*/\1/p" tools/debian-packages.txt; }

./setup --without-tests >output 2>&1 </dev/null && fail "nothing was installed, so it cannot be content"
for package in $(packages build) $(packages offered); do grep -qxF "$package" "$ASKED" || fail "it must ask for $package"; done
for package in $(packages test); do ! grep -qxF "$package" "$ASKED" || fail "only tests need $package"; done

./setup >output 2>&1 </dev/null && fail "nothing was installed, so it cannot be content"
for package in $(packages test); do grep -qxF "$package" "$ASKED" || fail "it must ask for $package"; done
