# onecred: GNU make, no generator. `make help` lists the targets.
#
# Layers, lowest first; a file includes only its own and lower ones
# (tests/check-layers.sh).
LAYERS = core store service doors daemon cli

B ?= build
CC ?= gcc
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
# Where the Cyrus SASL plugin goes.
SASLPLUGINDIR ?= $(PREFIX)/lib/$(shell $(CC) -print-multiarch)/sasl2
PKG_CONFIG ?= pkg-config
FUZZ_SECONDS ?= 60

# `make V=1` shows whole commands.
ifneq ($(V),1)
Q = @
say = @echo '  $(1)'
endif

# make's own default is cc.
ifeq ($(origin CC),default)
CC = gcc
endif

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wundef -Wpointer-arith \
	-Wcast-qual -Wcast-align -Wwrite-strings -Wformat=2 -Wvla \
	-Wswitch-enum -Wconversion -Wsign-conversion -Wnull-dereference \
	-Wimplicit-fallthrough

# $(call probe,FLAG): FLAG if the compiler knows it.
probe = $(shell $(CC) -Werror $(1) -x c -c /dev/null -o /dev/null \
	2>/dev/null && echo $(1))

HARDENING := -fstack-protector-strong -fPIC \
	$(call probe,-fstack-clash-protection)
# Needs an optimiser; the sanitizer builds replace it.
FORTIFY ?= -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
LINK_HARDENING = -pie -Wl,-z,relro,-z,now

# Evaluated once, when make starts: targets that install packages first call
# make again afterwards.
PACKAGES = libevent_core libmicrohttpd jansson libpq libcrypto libidn
MISSING := $(shell $(PKG_CONFIG) --exists $(PACKAGES) 2>/dev/null || echo yes)
PACKAGE_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)
CORE_LIBS := $(shell $(PKG_CONFIG) --libs libcrypto libidn 2>/dev/null)
DAEMON_LIBS := $(shell $(PKG_CONFIG) --libs libevent_core libmicrohttpd \
	jansson libpq 2>/dev/null)
CHECK_LIBS = $(shell $(PKG_CONFIG) --libs check)
CHECK_CFLAGS = $(shell $(PKG_CONFIG) --cflags check)

override CPPFLAGS += -Isrc -D_GNU_SOURCE $(FORTIFY) $(PACKAGE_CFLAGS)
override CFLAGS += -std=c11 $(WARNINGS) $(HARDENING) $(SANITIZE) -pthread
override LDFLAGS += $(LINK_HARDENING) $(SANITIZE) -pthread
FLAGS := $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)

sources = $(sort $(wildcard src/$(1)/*.c))
objects = $(patsubst %.c,$(B)/%.o,$(1))

CORE_OBJECTS = $(call objects,$(call sources,core))
STORE_OBJECTS = $(call objects,$(call sources,store))
SERVICE_OBJECTS = $(call objects,$(call sources,service))
DOORS_OBJECTS = $(call objects,$(call sources,doors))
DAEMON_OBJECTS = $(call objects,$(call sources,daemon))
# src/cli/onecred*.c hold main() of one program each; cli_* serve them all.
CLI_SHARED = $(call objects,$(sort $(wildcard src/cli/cli_*.c)))

PROGRAMS = $(B)/onecredd $(B)/onecred $(B)/onecred-extauth

all: $(B)/libonecred-core.a $(PROGRAMS)

$(B)/libonecred-core.a: $(CORE_OBJECTS)
	$(call say,AR $@)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

# All of the daemon but main(), for tests and benches.
$(B)/libonecredd.a: $(STORE_OBJECTS) $(SERVICE_OBJECTS) $(DOORS_OBJECTS) \
    $(filter-out $(B)/src/daemon/main.o,$(DAEMON_OBJECTS))
	$(call say,AR $@)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(B)/onecredd: $(B)/src/daemon/main.o $(B)/libonecredd.a \
    $(B)/libonecred-core.a
	$(call say,LINK $@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(DAEMON_LIBS) $(CORE_LIBS)

# The commands, for their unit tests too.
$(B)/libonecred-cli.a: $(CLI_SHARED)
	$(call say,AR $@)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(B)/onecred: $(B)/src/cli/onecred.o $(B)/libonecred-cli.a \
    $(B)/libonecredd.a $(B)/libonecred-core.a
	$(call say,LINK $@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(DAEMON_LIBS) $(CORE_LIBS)

# Links nothing of the core: cli_relay and cli_generic need none of it.
$(B)/onecred-extauth: $(B)/src/cli/onecred_extauth.o $(B)/libonecred-cli.a
	$(call say,LINK $@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

$(B)/%.o: %.c $(B)/flags | packages-present
	$(call say,CC $@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

packages-present:
	@[ -z "$(MISSING)" ] || { echo "$(PKG_CONFIG) does not know all of:" \
	    "$(PACKAGES). Run \`make deps'." >&2; exit 1; }

# Other flags than last time: everything in $(B) is built again.
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(FLAGS))' | cmp -s - $@ || \
	    printf '%s\n' '$(subst ','\'',$(FLAGS))' >$@
FORCE:

# Unit tests: one program per tests/unit/test_*.c.
UNIT_SOURCES = $(sort $(wildcard tests/unit/test_*.c))
UNIT_TESTS = $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(UNIT_SOURCES))

# test_<stem>.c of a core file needs the core alone.
CORE_UNIT_TESTS = $(filter $(patsubst src/core/%.c,$(B)/tests/unit/test_%, \
	$(call sources,core)),$(UNIT_TESTS))
OTHER_UNIT_TESTS = $(filter-out $(CORE_UNIT_TESTS),$(UNIT_TESTS))

$(B)/tests/%.o: override CPPFLAGS += $(CHECK_CFLAGS) -Itests/unit
$(CORE_UNIT_TESTS): $(B)/tests/unit/%: $(B)/tests/unit/%.o \
    $(B)/libonecred-core.a
	$(call say,LINK $@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(CHECK_LIBS) $(CORE_LIBS)
$(OTHER_UNIT_TESTS): $(B)/tests/unit/%: $(B)/tests/unit/%.o \
    $(B)/libonecred-cli.a $(B)/libonecredd.a $(B)/libonecred-core.a
	$(call say,LINK $@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(CHECK_LIBS) $(DAEMON_LIBS) $(CORE_LIBS)

unit: $(UNIT_TESTS)
unit-core: $(CORE_UNIT_TESTS)

# Programs in C that integration tests and benches drive.
DRIVERS = $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/integration/*.c \
	tests/bench/*.c)))
$(DRIVERS): %: %.o $(B)/libonecredd.a $(B)/libonecred-core.a
	$(call say,LINK $@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(DAEMON_LIBS) $(CORE_LIBS)
drivers: $(DRIVERS)

# A phone on sofia-sip; its headers are not held to our warnings.
SOFIA_UAC = $(B)/tests/integration/sofia_uac
$(SOFIA_UAC).o: override CPPFLAGS += $(patsubst -I%,-isystem %, \
	$(shell $(PKG_CONFIG) --cflags sofia-sip-ua))
$(SOFIA_UAC): override DAEMON_LIBS += \
	$(shell $(PKG_CONFIG) --libs sofia-sip-ua)

# Built only by tests/fuzz.sh: clang, -fsanitize=fuzzer-no-link in SANITIZE.
FUZZERS = $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
$(FUZZERS): %: %.o $(B)/libonecred-cli.a $(B)/libonecredd.a \
    $(B)/libonecred-core.a
	$(call say,LINK $@)
	$(Q)$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(DAEMON_LIBS) $(CORE_LIBS)
fuzzers: $(FUZZERS)

# Two commands (and their packages). Each works as the first one on a bare
# machine, hence make again after the packages.
deps:
	@sh tests/deps.sh build
deps-test:
	@sh tests/deps.sh test

demo: deps
	+@$(MAKE) --no-print-directory all $(B)/tests/integration/sasl_driver
	@ONECRED_BUILD=$(B) python3 -B tests/demo.py

check: deps-test
	@python3 -B tests/run all

check-unit: deps
	+@$(MAKE) --no-print-directory unit
	@ONECRED_BUILD=$(B) python3 -B tests/run unit

check-asan:
	@python3 -B tests/run asan
check-tsan:
	@python3 -B tests/run tsan
check-integration:
	@python3 -B tests/run integration
check-bare:
	@sh tests/bare.sh

check-layers:
	@sh tests/check-layers.sh $(LAYERS)
check-compare:
	@sh tests/check-compare.sh
check-headers:
	@CC='$(CC)' CPPFLAGS='$(CPPFLAGS)' sh tests/check-headers.sh $(LAYERS)

lint:
	@CPPFLAGS='$(CPPFLAGS)' sh tests/lint.sh

fuzz:
	@FUZZ_SECONDS=$(FUZZ_SECONDS) sh tests/fuzz.sh

bench: deps-test
	+@$(MAKE) --no-print-directory all drivers
	@for f in tests/bench/bench_*.py; do \
	    ONECRED_BUILD=$(B) python3 -B $$f || exit 1; done

include src/install/install.mk

# Configuration of other programs, as the README hands it out.
install: install-examples
install-examples:
	@set -e; for f in tests/integration/fragments/*; do \
	    sed 's|/usr/local|$(PREFIX)|g' $$f | \
	        $(PUT) 0644 - $(SHARE)/onecred/examples/$${f##*/}; \
	done

# The Cyrus SASL plugin has its own rules; a tree without it builds too.
-include plugin/plugin.mk

clean:
	rm -rf $(B)

help:
	@sed -n '/^# Targets:/,/^$$/s/^# \{0,1\}//p' Makefile

# Targets:
#   all              build the programs (default)
#   demo             packages, build, one account, every door; KEEP=1 stays up
#   check            packages, then all tests; last line `N passed, N failed'
#   check-unit       unit tests only: no database, no network, seconds
#   check-asan check-tsan       unit and daemon tests under the sanitizers
#   check-integration           tests against a private PostgreSQL
#   check-layers check-compare check-headers    rules of the source
#   lint             clang-tidy and cppcheck
#   fuzz             every parser, FUZZ_SECONDS=60 each
#   bench            measurements beside the peers
#   deps deps-test   install packages to build and demo, or to test
#   install uninstall           DESTDIR PREFIX SYSCONFDIR SASLPLUGINDIR
#   deb              Debian packages, build/*.deb; needs no root once the
#                    packages for building are there
#   check-bare       install, package and purge in a fresh Debian 12 tree;
#                    root and network, not part of check
#   clean            remove $(B)

-include $(shell find $(B) -path $(B)/deb -prune -o -type f -name '*.d' \
    -print 2>/dev/null)

.PHONY: all bench check check-asan check-bare check-compare check-headers \
    check-integration check-layers check-tsan check-unit clean demo deps \
    deps-test drivers fuzz fuzzers help install install-examples lint \
    packages-present uninstall unit unit-core FORCE
.SECONDARY:
