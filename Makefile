# What people and machines do with this tree, as thin words over meson and tools/.
#
#   make           build build/postrider
#   make run       install what is missing, build, start a server of your own to play with
#   make test      everything that must pass before a change lands
#   make check     the part of it that needs no running server
#
# More: deps, install, fuzz, soak, powercut, coverage, rfc, format, clean.

.PHONY: build deps run test check soak powercut fuzz coverage rfc format install clean
.DEFAULT_GOAL := build

FUZZ_SECONDS ?= 60
SOAK_SECONDS ?= 600
POWERCUTS ?= 2000
SANITIZED = CC=clang-14 meson setup build-fuzz -Dfuzz=true -Db_sanitize=address,undefined \
	-Doptimization=1

build: build/build.ninja
	@ninja -C build

build/build.ninja:
	@meson setup build

build-fuzz/build.ninja:
	@$(SANITIZED)

deps:
	@tools/deps build

run: deps
	@$(MAKE) --no-print-directory build
	@tools/try

# One closing line for all: "N passed, N failed".  Each tests/NAME/run prints one of its own.
test:
	@tools/deps build test
	@tools/sum.py tests:check tools/check tests:'with running servers' tests/all

check:
	@tools/check

.PHONY: build-fuzz
build-fuzz: build-fuzz/build.ninja
	@ninja -C build-fuzz

fuzz: build-fuzz
	@tools/fuzz.py build-fuzz --seconds $(FUZZ_SECONDS)

soak: build
	@tests/soak.py --seconds $(SOAK_SECONDS)

powercut: build
	@tests/powercut/long $(POWERCUTS)

coverage:
	@tools/coverage

rfc:
	@tools/rfc.py

format:
	@tools/format --fix

install: build
	@meson install -C build

clean:
	@rm -rf build build-fuzz build-cov
