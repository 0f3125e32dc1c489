# SPDX-License-Identifier: ISC
# make install DESTDIR=...: the FHS layout. Included by the makefile.
# Files of an admin are not overwritten. The folders of queue and store are
# made, with their owners, at each start.

compatdir = $(libexecdir)/compat
confdir	= $(sysconfdir)/barid
systemddir = $(prefix)/lib/systemd/system
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
ifeq ($(COMPAT_NAMES),yes)
sendmaildir = $(sbindir)
mailqdir = $(bindir)
else
sendmaildir = $(compatdir)
mailqdir = $(compatdir)
endif

# manual pages; those of daemons are barid-NAME(8), and those of tools that
# Postfix has as well, barid-NAME(1) where the tools do not take its names
MAN_SOURCES = $(patsubst %.in,%,$(notdir $(wildcard $(srcdir)/man/*.in)))
man_prefixed = $(filter-out barid%,$(filter %.8 $(if $(filter yes,$(COMPAT_NAMES)),,%.1),$(1)))
man_name = $(if $(man_prefixed),barid-$(1),$(1))
MANPAGES = $(foreach p,$(MAN_SOURCES),man/$(call man_name,$(p)))
DOCS	= $(wildcard $(srcdir)/doc/*.md) $(addprefix $(srcdir)/,README.md CHANGES LICENSE)
IN_FOLDERS = sed -e 's|@sbindir@|$(sbindir)|' -e 's|@localstatedir@|$(localstatedir)|'

define MANPAGE
man/$(call man_name,$(1)): $(srcdir)/man/$(1).in bin/barid
	@mkdir -p $$(@D)
	@bin/barid doc page $$< >$$@
endef
$(foreach p,$(MAN_SOURCES),$(eval $(call MANPAGE,$(p))))
man: $(MANPAGES)
# after a change of a conversation's table: the page in the tree
ipc-page: bin/barid
	bin/barid doc ipc >$(srcdir)/doc/ipc.md

conf/barid.service: $(srcdir)/conf/systemd/barid.service.in Makefile
	@mkdir -p $(@D)
	@$(IN_FOLDERS) $< >$@
conf/tmpfiles.conf: $(srcdir)/conf/systemd/tmpfiles.conf.in Makefile
	@mkdir -p $(@D)
	@$(IN_FOLDERS) $< >$@
conf/sysusers.conf: $(srcdir)/src/libglobal/sandbox_rows.def $(srcdir)/conf/sysusers.awk
	@mkdir -p $(@D)
	@awk -f $(srcdir)/conf/sysusers.awk $< >$@

install: install-programs install-conf install-doc

install-programs: all
	$(INSTALL) -d $(DESTDIR)$(sbindir) $(DESTDIR)$(libexecdir) \
	    $(DESTDIR)$(sendmaildir) $(DESTDIR)$(mailqdir)
	$(INSTALL) -m 755 $(addprefix bin/,$(HAVE_TOOLS)) $(DESTDIR)$(sbindir)
	$(INSTALL) -m 755 $(addprefix libexec/barid/,$(HAVE_DAEMONS)) $(DESTDIR)$(libexecdir)
	$(INSTALL) -d $(DESTDIR)$(moduledir)
	$(INSTALL) -m 644 $(MODULE_FILES) $(DESTDIR)$(moduledir)
	for n in $(COMPAT_SBIN); do ln -sf $(sbindir)/barid $(DESTDIR)$(sendmaildir)/$$n || exit 1; done
	for n in $(COMPAT_BIN); do ln -sf $(sbindir)/barid $(DESTDIR)$(mailqdir)/$$n || exit 1; done
	@# a package sets the group when it is installed; see postdrop(1)
	test -n "$(DESTDIR)" || ! chgrp barid-drop $(libexecdir)/postdrop 2>/dev/null || chmod 2755 $(libexecdir)/postdrop

install-conf: conf/barid.service conf/tmpfiles.conf conf/sysusers.conf
	$(INSTALL) -d $(DESTDIR)$(confdir) $(DESTDIR)$(systemddir) \
	    $(DESTDIR)$(sysusersdir) $(DESTDIR)$(tmpfilesdir)
	$(INSTALL) -d -m 700 $(DESTDIR)$(confdir)/tls
	for f in main.cf master.cf aliases; do \
	    test -e $(DESTDIR)$(confdir)/$$f || \
	    sed 's|/etc/barid|$(confdir)|g' $(srcdir)/conf/$$f >$(DESTDIR)$(confdir)/$$f || exit 1; \
	    chmod 644 $(DESTDIR)$(confdir)/$$f || exit 1; done
	$(INSTALL) -m 644 conf/barid.service $(DESTDIR)$(systemddir)
	$(INSTALL) -m 644 conf/sysusers.conf $(DESTDIR)$(sysusersdir)/barid.conf
	$(INSTALL) -m 644 conf/tmpfiles.conf $(DESTDIR)$(tmpfilesdir)/barid.conf

install-doc: all man
	$(INSTALL) -d $(DESTDIR)$(docdir)
	$(INSTALL) -m 644 $(DOCS) $(DESTDIR)$(docdir)
	for p in $(MANPAGES); do \
	    $(INSTALL) -D -m 644 $$p $(DESTDIR)$(mandir)/man$${p##*.}/$${p##*/} || exit 1; done

# the configuration stays, and all mail
uninstall:
	rm -rf $(DESTDIR)$(libexecdir) $(DESTDIR)$(docdir)
	rm -f $(addprefix $(DESTDIR)$(sbindir)/,$(HAVE_TOOLS)) \
	    $(addprefix $(DESTDIR)$(sendmaildir)/,$(COMPAT_SBIN)) \
	    $(addprefix $(DESTDIR)$(mailqdir)/,$(COMPAT_BIN)) \
	    $(DESTDIR)$(systemddir)/barid.service \
	    $(DESTDIR)$(sysusersdir)/barid.conf $(DESTDIR)$(tmpfilesdir)/barid.conf
	for p in $(notdir $(MANPAGES)); do rm -f $(DESTDIR)$(mandir)/man$${p##*.}/$$p; done

clean: clean-installed
clean-installed:
	rm -rf conf man

.PHONY: clean-installed man ipc-page install-programs install-conf install-doc uninstall
