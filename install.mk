# SPDX-License-Identifier: ISC
# make install DESTDIR=...: the FHS layout. Included by the makefile.

compatdir = $(libexecdir)/compat

install: all
	$(INSTALL) -d $(DESTDIR)$(sbindir) $(DESTDIR)$(libexecdir) $(DESTDIR)$(sysconfdir)/barid $(DESTDIR)$(docdir)
	$(INSTALL) -m 755 $(addprefix bin/,$(HAVE_TOOLS)) $(DESTDIR)$(sbindir)
	$(INSTALL) -m 755 $(addprefix libexec/barid/,$(HAVE_DAEMONS)) $(DESTDIR)$(libexecdir)
