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
PKG_CONFIG ?= pkg-config

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wundef -Wpointer-arith \
	-Wcast-qual -Wcast-align -Wwrite-strings -Wformat=2 -Wvla \
	-Wswitch-enum -Wconversion -Wsign-conversion -Wnull-dereference \
	-Wimplicit-fallthrough
HARDENING = -fstack-protector-strong -fPIC
# Needs an optimiser; the sanitizer builds replace it.
FORTIFY ?= -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
LINK_HARDENING = -pie -Wl,-z,relro,-z,now
HARDENING += $(call probe,-fstack-clash-protection)

# $(call probe,FLAG): FLAG if the compiler knows it.
probe = $(shell $(CC) -Werror $(1) -x c -c /dev/null -o /dev/null \
	2>/dev/null && echo $(1))

PACKAGES = libevent_core libpq libcrypto libidn
PACKAGE_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)
CORE_LIBS := $(shell $(PKG_CONFIG) --libs libcrypto libidn 2>/dev/null)
DAEMON_LIBS := $(shell $(PKG_CONFIG) --libs libevent_core libpq 2>/dev/null)
CHECK_LIBS = $(shell $(PKG_CONFIG) --libs check)
CHECK_CFLAGS = $(shell $(PKG_CONFIG) --cflags check)

override CPPFLAGS += -Isrc -D_GNU_SOURCE $(FORTIFY) $(PACKAGE_CFLAGS)
override CFLAGS += -std=c11 $(WARNINGS) $(HARDENING) $(SANITIZE) -pthread
override LDFLAGS += $(LINK_HARDENING) $(SANITIZE) -pthread

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
	@rm -f $@
	$(AR) rcs $@ $^

# All of the daemon but main(), for tests and benches.
$(B)/libonecredd.a: $(STORE_OBJECTS) $(SERVICE_OBJECTS) $(DOORS_OBJECTS) \
    $(filter-out $(B)/src/daemon/main.o,$(DAEMON_OBJECTS))
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/onecredd: $(B)/src/daemon/main.o $(B)/libonecredd.a \
    $(B)/libonecred-core.a
	$(CC) $(LDFLAGS) -o $@ $^ $(DAEMON_LIBS) $(CORE_LIBS)

$(B)/onecred: $(B)/src/cli/onecred.o $(CLI_SHARED) $(B)/libonecred-core.a
	$(CC) $(LDFLAGS) -o $@ $^ $(CORE_LIBS)

$(B)/onecred-extauth: $(B)/src/cli/onecred_extauth.o
	$(CC) $(LDFLAGS) -o $@ $^

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

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
	$(CC) $(LDFLAGS) -o $@ $^ $(CHECK_LIBS) $(CORE_LIBS)
$(OTHER_UNIT_TESTS): $(B)/tests/unit/%: $(B)/tests/unit/%.o \
    $(B)/libonecredd.a $(B)/libonecred-core.a
	$(CC) $(LDFLAGS) -o $@ $^ $(CHECK_LIBS) $(DAEMON_LIBS) $(CORE_LIBS)

unit: $(UNIT_TESTS)
unit-core: $(CORE_UNIT_TESTS)

clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)

.PHONY: all unit unit-core clean
.SECONDARY:
