# `make install', `make uninstall' and `make deb'. Every file goes through
# put.sh, whose list is what uninstall removes. SQL scripts call the installed
# onecred by its absolute path unless the environment variable ONECRED names
# another one.

SHARE = $(PREFIX)/share
# Read by systemd below /usr/local too.
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d
COMPLETIONSDIR ?= $(SHARE)/bash-completion/completions

SQL_FILES = $(sort $(shell find sql -name '*.sql' 2>/dev/null))
MAN_PAGES = $(sort $(wildcard src/*/*.[158]))
DOORS_WITH_SOCKET = extauth saslauthd http
CONFIG_FILE = $(SYSCONFDIR)/onecred/onecred.conf
SAMPLE_CONFIG = src/daemon/onecred.conf.sample
APPARMOR_FILE = $(SHARE)/onecred/apparmor/onecred-extauth

PUT = DESTDIR='$(DESTDIR)' LIST='$(SHARE)/onecred/installed' \
	SAMPLE='$(SHARE)/doc/onecred/onecred.conf.sample' \
	sh src/install/put.sh
FILL = sed -e 's|@SBINDIR@|$(PREFIX)/sbin|g' -e 's|@BINDIR@|$(PREFIX)/bin|g' \
	-e 's|@CONFIG@|$(CONFIG_FILE)|g' -e 's|@FILE@|$(APPARMOR_FILE)|g'

# Whether what is installed is for the machine that runs make, by root.
HERE = { [ -z '$(DESTDIR)' ] && [ "$$(id -u)" = 0 ]; }

install: install-onecred install-onecredd install-extauth install-sql \
    install-man install-config install-units install-extras
	@! { $(HERE) && [ -d /run/systemd/system ]; } || systemctl daemon-reload
	@[ -n '$(DESTDIR)' ] || echo "Installed; nothing was enabled or" \
	    "started. What comes next: README.md, onecredd(8)."

install-onecred: $(B)/onecred
	@$(PUT) 0755 $< $(PREFIX)/bin/onecred

install-onecredd: $(B)/onecredd
	@$(PUT) 0755 $< $(PREFIX)/sbin/onecredd

install-extauth: $(B)/onecred-extauth
	@$(PUT) 0755 $< $(PREFIX)/bin/onecred-extauth

install-sql:
	@set -e; for f in $(SQL_FILES); do \
	    sed 's|$${ONECRED:-onecred}|$${ONECRED:-$(PREFIX)/bin/onecred}|g' \
	        $$f | $(PUT) 0644 - $(SHARE)/onecred/$$f; \
	done
	@echo "SQL scripts: $(DESTDIR)$(SHARE)/onecred/sql"

install-man:
	@set -e; for f in $(MAN_PAGES); do \
	    $(PUT) 0644 $$f $(SHARE)/man/man$${f##*.}/$${f##*/}; \
	done
	@echo "Manual pages: $(DESTDIR)$(SHARE)/man"

# Users of the machine itself only; for a DESTDIR whoever unpacks it.
install-users:
	@$(PUT) 0644 src/install/onecred.sysusers $(SYSUSERSDIR)/onecred.conf
	@$(PUT) 0644 src/install/onecred.tmpfiles $(TMPFILESDIR)/onecred.conf
	@if ! $(HERE); then :; \
	elif command -v systemd-sysusers >/dev/null; then \
	    systemd-sysusers $(SYSUSERSDIR)/onecred.conf && \
	    systemd-tmpfiles --create $(TMPFILESDIR)/onecred.conf; \
	else \
	    echo "There is no systemd-sysusers: make the user and groups of" \
	        "$(SYSUSERSDIR)/onecred.conf" >&2; \
	fi

# An edited configuration is never overwritten.
install-config: install-users
	@set -e; for f in $(wildcard README.md CHANGELOG.md LICENSE) \
	    $(SAMPLE_CONFIG); do \
	    $(PUT) 0644 $$f $(SHARE)/doc/onecred/$${f##*/}; \
	done
	@set -e; [ -e $(DESTDIR)$(CONFIG_FILE) ] || fresh=yes; \
	$(PUT) keep 0640 $(SAMPLE_CONFIG) $(CONFIG_FILE); \
	! { $(HERE) && [ "$$fresh" ] && getent group onecred >/dev/null; } || \
	    chgrp onecred $(CONFIG_FILE)

install-units:
	@$(FILL) src/install/onecredd.service | \
	    $(PUT) 0644 - $(UNITDIR)/onecredd.service
	@set -e; for door in $(DOORS_WITH_SOCKET); do \
	    sed -e "s|@UNIT@|$$door|g" -e "s|@SECTION@|$$door|g" \
	        -e "s|@DOOR@|$$door|g" src/install/door.socket | \
	        $(PUT) 0644 - $(UNITDIR)/onecredd-$$door.socket; \
	done
	@sed -e 's|@UNIT@|dovecot@NAME|g' -e 's|@SECTION@|dovecot %i|g' \
	    -e 's|@DOOR@|dovecot-%i|g' src/install/door.socket | \
	    $(PUT) 0644 - $(UNITDIR)/onecredd-dovecot@.socket
	@$(PUT) 0644 src/install/radius.socket \
	    $(UNITDIR)/onecredd-radius.socket

install-extras:
	@$(FILL) src/install/onecred-extauth.apparmor | \
	    $(PUT) 0644 - $(APPARMOR_FILE)
	@$(PUT) 0644 src/install/onecred.bash $(COMPLETIONSDIR)/onecred
	@$(PUT) link onecred $(COMPLETIONSDIR)/onecredd
	@$(PUT) link onecred $(COMPLETIONSDIR)/onecred-extauth

# The configuration stays, so do user and groups.
uninstall:
	@$(PUT) remove
	@! { $(HERE) && [ -d /run/systemd/system ]; } || systemctl daemon-reload

# build/onecred_VERSION_ARCH.deb and the plugin's onecred-sasl.
deb:
	@sh tests/deps.sh deb
	@B='$(B)' sh src/install/deb.sh

.PHONY: deb install-config install-extras install-extauth install-man \
    install-onecred install-onecredd install-sql install-units install-users
