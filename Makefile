# What a newcomer types. `make demo` and `make test` do everything, from set-up on; both may be repeated.

JOBS := $(shell nproc 2>/dev/null || echo 2)
BIN := build/release/bin
MAKEFLAGS += --no-print-directory

# Extra arguments for ctest, for example: make test CTEST_ARGS='-R Segmenter'
CTEST_ARGS :=

.PHONY: all demo test soak bench format format-check tidy install deb site arm64 arm64-deb clean setup configure

all: configure ## build everything into build/release
	@cmake --build --preset release --parallel $(JOBS)

demo: ## set up, build, record the bundled voice note and show its text; without what only tests need
	@./setup --without-tests
	@[ -f build/release/build.ninja ] || tools/configure -DDICTUM_DEVELOPER=OFF -DDICTUM_APPS=ON
	@cmake --build --preset release --parallel $(JOBS) --target apps/all
	$(BIN)/dictum record --input samples/voice_note.wav --output-dir build/demo

test: all ## set up, build, run every test
	@ctest --preset release --parallel $(JOBS) $(CTEST_ARGS)

soak: all ## the long runs, and all tests under the sanitizers; SOAK_MINUTES=60 makes the runs longer
	@DICTUM_LONG_TESTS=1 DICTUM_SOAK=1 ctest --preset release --parallel $(JOBS) $(CTEST_ARGS)
	@bench/soak --bin $(BIN) --minutes $(or $(SOAK_MINUTES),10)
	@bench/day --bin $(BIN)
	@bench/outages.py --bin $(BIN) --minutes $(or $(SOAK_MINUTES),10)
	@tools/sanitized asan
	@ctest --preset asan --parallel $(JOBS) -L fuzz
	@tools/sanitized tsan
	@[ ! -e build/deps/arm64/root ] || $(MAKE) arm64

bench: all ## speed beside peers: one table, JSON and pictures in build/bench
	@bench/run $(BIN)

format: setup ## format our sources
	@tools/format

format-check: setup
	@tools/format --check

tidy: configure ## static analysis of our sources
	@tools/tidy

install: all ## into /usr/local, or DESTDIR and PREFIX
	@cmake --install build/release --strip $(if $(PREFIX),--prefix $(PREFIX))

deb: ## Debian packages into build/release/packages
	@./setup --portable
	@tools/configure -DDICTUM_DEVELOPER=ON
	@cmake --build --preset release --parallel $(JOBS) --target apps/all dictum
	@cd build/release && cpack

site: ## the documents as a site, into build/site; its tool comes from PyPI
	@tools/make_site

arm64: all ## tests on 64-bit ARM, by qemu-user: the detector, sound, files, protocols
	@tools/get_arm64
	@tools/test_arm64
	@cmake --build --preset arm64 --parallel $(JOBS) --target vad_windows
	@bench/instructions_arm64 build/arm64/bin

arm64-deb: setup ## Debian packages for 64-bit ARM into build/arm64/packages
	@tools/get_arm64
	@cmake --preset arm64
	@cmake --build --preset arm64 --parallel $(JOBS) --target apps/all dictum
	@cd build/arm64 && DEB_HOST_ARCH=arm64 DPKG_ADMINDIR=$(CURDIR)/build/deps/arm64/root/var/lib/dpkg $(CURDIR)/tools/on_arm64 cpack

clean: ## remove what was built; the downloaded model stays
	@rm -rf build/dev build/release build/asan build/tsan build/arm64 build/coverage build/tidy build/demo build/site build/site-source build/site-venv

setup:
	@./setup

configure: setup
	@tools/configure -DDICTUM_DEVELOPER=ON
