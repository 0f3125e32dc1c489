/* SPDX-License-Identifier: ISC */
/*
 * All tables are opened together. When a file changed, all are opened anew on
 * a worker, and the new ones take the place of the old, which go when the
 * last question that uses them is answered. Files are looked at when a
 * question comes, at most once a second: an idle mapd does nothing.
 */
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "libtask/work.h"
#include "libutil/alloc.h"
#include "libutil/buf.h"
#include "mapd/mapd.h"
#include "mapd/mapd_events.h"

#define CHECK_MS	1000
#define INTERFACES_MAX	1000

/* findings while tables are opened: texts, one a line */
struct findings {
	struct buf	text;
	unsigned	count;
};

/* one opening, for a worker */
struct opening {
	struct resolver		*old;
	struct mapd_tables	*new;
	bool			 changed;
	struct findings		 findings;
};

/* note_finding - keep a finding until it can be logged */
static void
note_finding(void *arg, const struct diag *d)
{
	struct findings *f = arg;

	diag_format(&f->text, d);
	buf_add_byte(&f->text, '\n');
	f->count++;
}

/* log_findings - a line of the log for each */
static void
log_findings(struct mapd *m, struct findings *f, const struct event *event)
{
	struct slice rest = buf_slice(&f->text);

	while (rest.len > 0)
		log_event(daemon_log(m->daemon), event,
		    KV_STR("why", slice_split(&rest, '\n')));
	buf_free(&f->text);
}

/* count_bits - of a netmask */
static unsigned
count_bits(const unsigned char *mask, size_t n)
{
	unsigned bits = 0;

	for (size_t i = 0; i < n; i++)
		bits += (unsigned)__builtin_popcount(mask[i]);
	return bits;
}

/* take_interface - an address of the host and its network */
static bool
take_interface(const struct ifaddrs *i, struct mynetworks_interface *ret)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (i->ifa_addr == NULL || i->ifa_netmask == NULL)
		return false;
	*ret = (struct mynetworks_interface){ .bits = 0 };
	if (i->ifa_addr->sa_family == AF_INET) {
		memcpy(&v4, i->ifa_addr, sizeof(v4));
		memcpy(ret->ip.byte, &v4.sin_addr, 4);
		memcpy(&v4, i->ifa_netmask, sizeof(v4));
		ret->bits = count_bits((unsigned char *)&v4.sin_addr, 4);
		return true;
	}
	if (i->ifa_addr->sa_family == AF_INET6) {
		ret->ip.is_v6 = true;
		memcpy(&v6, i->ifa_addr, sizeof(v6));
		memcpy(ret->ip.byte, &v6.sin6_addr, 16);
		memcpy(&v6, i->ifa_netmask, sizeof(v6));
		ret->bits = count_bits((unsigned char *)&v6.sin6_addr, 16);
		return true;
	}
	return false;
}

/* find_interfaces - the addresses of the host */
static int
find_interfaces(struct arena *a, struct resolver_host *ret_host)
{
	struct mynetworks_interface *v;
	struct ifaddrs *all;
	size_t n = 0;

	if (getifaddrs(&all) < 0)
		return -errno;
	v = ARENA_ARRAY(a, struct mynetworks_interface, INTERFACES_MAX);
	for (struct ifaddrs *i = all; i != NULL && n < INTERFACES_MAX;
	    i = i->ifa_next)
		n += take_interface(i, &v[n]);
	freeifaddrs(all);
	*ret_host = (struct resolver_host){ v, n };
	return 0;
}

/* tables_free - close tables */
static void
tables_free(struct mapd_tables **tables)
{
	if (*tables == NULL)
		return;
	resolver_close(&(*tables)->resolver);
	arena_free(&(*tables)->arena);
	free(*tables);
	*tables = NULL;
}

/* allow_folder - what a file's folder has may be read in the sandbox: a
 * changed file is a new one in the same folder */
static void
allow_folder(void *arg, const char *path)
{
	struct mapd *m = arg;
	struct slice folder = slice_of(path);
	size_t cut = slice_find_last(folder, '/');
	char *text;

	if (cut == SLICE_NONE || cut == 0)
		return;
	text = slice_dup(slice_sub(folder, 0, cut));
	daemon_allow_read(m->daemon, text);
	free(text);
}

/* tables_new - parameters and addresses, without open tables yet */
static int
tables_new(struct mapd *m, struct diag *diag, struct mapd_tables **ret_tables)
{
	struct mapd_tables *tables = NEW(struct mapd_tables);
	int r = param_load(&resolve_param_table, daemon_conf(m->daemon),
	    &tables->arena, &tables->params, diag);

	if (r < 0) {
		tables_free(&tables);
		return r;
	}
	tables->users = 1;		/* they are the present ones */
	*ret_tables = tables;
	return 0;
}

/* mapd_tables_open - open the tables at the start */
int
mapd_tables_open(struct mapd *m, struct diag *diag)
{
	struct mapd_tables *tables = NULL;
	struct findings f = { BUF_INIT, 0 };
	int r;

	if ((r = tables_new(m, diag, &tables)) < 0)
		return r;
	if ((r = find_interfaces(&tables->arena, &tables->host)) < 0) {
		(void)diag_set(diag, 0, 0, "cannot list the addresses of this "
		    "host: %s", strerror(-r));
		tables_free(&tables);
		return r;
	}
	tables->resolver = resolver_open(&tables->params, &tables->host,
	    note_finding, &f);
	log_findings(m, &f, EV_MAPD_TABLE);
	resolver_each_file(tables->resolver, allow_folder, m);
	m->tables = tables;
	return 0;
}

/* open_again - a worker: open new tables if a file changed */
static int
open_again(void *arg)
{
	struct opening *o = arg;

	o->changed = resolver_changed(o->old);
	if (o->changed)
		o->new->resolver = resolver_open(&o->new->params,
		    &o->new->host, note_finding, &o->findings);
	return 0;
}

/* copy_host - the addresses of the host do not change with the tables */
static void
copy_host(struct mapd_tables *to, const struct mapd_tables *from)
{
	size_t n = from->host.interface_count;
	struct mynetworks_interface *v = ARENA_ARRAY(&to->arena,
	    struct mynetworks_interface, n + 1);

	if (n > 0)
		memcpy(v, from->host.interface, n * sizeof(*v));
	to->host = (struct resolver_host){ v, n };
}

/* replace - the new tables take the place of the old, if all of them could
 * be opened: what cannot be read now was readable before, and still counts */
static void
replace(struct mapd *m, struct opening *o)
{
	struct mapd_tables *old = m->tables;

	if (o->findings.count > 0) {
		log_findings(m, &o->findings, EV_MAPD_KEPT);
		return;
	}
	m->tables = o->new;
	o->new = NULL;
	mapd_tables_unuse(&old);
	log_event(daemon_log(m->daemon), EV_MAPD_AGAIN);
}

/* check - look at the files, and open the tables again if need be */
static void
check(struct task *t, struct mapd *m)
{
	struct opening o = { .findings = { BUF_INIT, 0 } };
	struct mapd_tables *used = m->tables;

	if (tables_new(m, NULL, &o.new) < 0)
		return;		/* it could be loaded at the start */
	copy_host(o.new, m->tables);
	o.old = used->resolver;
	used->users++;
	m->checking = true;
	if (work_run(t, open_again, &o) == 0 && o.changed)
		replace(m, &o);
	m->checking = false;
	mapd_tables_unuse(&used);
	tables_free(&o.new);
	buf_free(&o.findings.text);
}

/* mapd_tables_use - the present tables */
struct mapd_tables *
mapd_tables_use(struct task *t, struct mapd *m)
{
	int64_t now = task_now(t);

	if (!m->checking && now - m->checked >= CHECK_MS) {
		m->checked = now;
		check(t, m);
	}
	m->tables->users++;
	return m->tables;
}

/* mapd_tables_unuse - give tables back; the last one closes them */
void
mapd_tables_unuse(struct mapd_tables **tables)
{
	if (--(*tables)->users == 0)
		tables_free(tables);
	*tables = NULL;
}
