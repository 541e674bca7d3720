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
	$(INSTALL) -D -m 0644 $(PLUGIN) \
	    $(DESTDIR)$(SASLPLUGINDIR)/libonecred.so
	$(INSTALL) -D -m 0644 plugin/onecred-sasl.8 \
	    $(DESTDIR)$(PREFIX)/share/man/man8/onecred-sasl.8

uninstall: uninstall-plugin
uninstall-plugin:
	rm -f $(DESTDIR)$(SASLPLUGINDIR)/libonecred.so \
	    $(DESTDIR)$(PREFIX)/share/man/man8/onecred-sasl.8

.PHONY: install-plugin uninstall-plugin
