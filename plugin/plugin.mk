# The Cyrus SASL plugin: the core and libpq, one exported symbol. It links
# no libsasl2: everything goes through the sasl_utils_t that init is given.

PLUGIN = $(B)/plugin/libonecred.so
PLUGIN_OBJECTS = $(call objects,$(sort $(wildcard plugin/*.c)))
PLUGIN_LIBS := $(shell $(PKG_CONFIG) --libs libpq 2>/dev/null)

# A sanitizer's own symbols come with the program that loads us. nodelete:
# libsasl2 unloads us in sasl_done(), which not every library below libpq
# would live through again and again.
PLUGIN_LDFLAGS = $(filter-out -pie,$(LDFLAGS)) -shared -Wl,-z,nodelete \
	-Wl,--exclude-libs,ALL -Wl,--version-script=plugin/libonecred.map \
	$(if $(SANITIZE),,-Wl,-z,defs)

all: $(PLUGIN)

$(PLUGIN_OBJECTS): override CFLAGS += -fvisibility=hidden
$(PLUGIN): $(PLUGIN_OBJECTS) $(B)/libonecred-core.a plugin/libonecred.map
	$(call say,LINK $@)
	$(Q)$(CC) $(PLUGIN_LDFLAGS) -o $@ $(PLUGIN_OBJECTS) \
	    $(B)/libonecred-core.a $(PLUGIN_LIBS) $(CORE_LIBS)

# Only these programs are applications of libsasl2.
$(B)/tests/integration/sasl_driver $(B)/tests/bench/sasl_bench: \
    DAEMON_LIBS += -lsasl2

# The plugin that a benchmark compares with.
BENCH_AUXPROP = $(B)/tests/bench/auxprop/floor.so
$(BENCH_AUXPROP): %.so: %.o
	$(call say,LINK $@)
	$(Q)$(CC) $(filter-out -pie,$(LDFLAGS)) -shared -o $@ $^
drivers: $(BENCH_AUXPROP)

install: install-plugin
install-plugin: $(PLUGIN)
	@$(PUT) 0644 $(PLUGIN) $(SASLPLUGINDIR)/libonecred.so
	@$(PUT) 0644 plugin/onecred-sasl.8 $(SHARE)/man/man8/onecred-sasl.8

# Prosody's modules. Debian's Prosody looks into /usr/lib/prosody/modules by
# itself; below another PREFIX it is told by plugin_paths.
PROSODYDIR ?= $(PREFIX)/lib/prosody/modules
PROSODY_MODULES = $(sort $(shell find plugin/prosody -name '*.lua'))

install: install-prosody
install-prosody:
	@set -e; for f in $(PROSODY_MODULES); do \
	    $(PUT) 0644 $$f $(PROSODYDIR)/$${f#plugin/prosody/}; \
	done

.PHONY: install-plugin install-prosody
