"""THIRD_PARTY.md names every shared library that our programs and our library link or load, and no other. What is loaded
when it is first used is linked by none of them."""

import pathlib
import re
import subprocess
import sys

SKIPPED = 77
OF_THE_SYSTEM = {"libc", "libm", "libgcc_s", "libstdc++", "libpthread", "libdl", "librt", "libresolv", "libdictum",
                 "ld-linux-x86-64", "ld-linux-aarch64"}
OF_THE_SANITIZERS = re.compile(r"libclang_rt.*|libasan|libtsan|libubsan")

root, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
notices = (root / "THIRD_PARTY.md").read_text(encoding="utf-8")
rows = notices.split("## Linked")[1].split("\n## ")[0].splitlines()
named = {name for row in rows for name in re.findall(r"`(lib[\w+-]+)`", row)} - {"libdictum"}
optional = {name for row in rows if "where it is installed" in row for name in re.findall(r"`(lib[\w+-]+)`", row)}
programs = [path for path in [*build.glob("bin/dictum*"), *build.glob("src/libdictum.so*")]
            if path.is_file() and not path.is_symlink()]
if not (build / "bin/dictum").exists():
    print("SKIPPED: the programs are not built here")
    sys.exit(SKIPPED)

loaded = {name for source in (root / "src").rglob("*.?pp")
          for name in re.findall(r'SharedLibrary \w+\{"(lib[\w+-]+)\.so', source.read_text(encoding="utf-8"))}
linked = {}
for program in programs:
    dynamic = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, check=True).stdout
    for library in re.findall(r"NEEDED.*\[(.+?)\.so", dynamic):
        if library not in OF_THE_SYSTEM and not OF_THE_SANITIZERS.fullmatch(library):
            linked.setdefault(library, []).append(program.name)

faults = [f"{', '.join(who)} link {library}, which THIRD_PARTY.md does not name"
          for library, who in sorted(linked.items()) if library not in named]
faults += [f"THIRD_PARTY.md names {library}, which nothing links" for library in sorted(named - optional - loaded - set(linked))]
faults += [f"{', '.join(linked[library])} link {library}, which is to be loaded when it is first used"
           for library in sorted(loaded & set(linked))]
faults += [f"{library} is loaded, and THIRD_PARTY.md does not name it" for library in sorted(loaded - named)]
print("\n".join(faults) or f"{len(programs)} programs, {len(linked)} libraries, every one named")
sys.exit(bool(faults))
