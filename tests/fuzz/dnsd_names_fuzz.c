/* SPDX-License-Identifier: ISC */
/*
 * dnsd's names, records, hosts and servers. A daemon's objects are in no
 * archive, so its pure files are compiled in here.
 */
#include "dnsd/hosts.c"
#include "dnsd/names.c"
#include "test.h"

static void
bad_line(void *arg, uint32_t line)
{
	FUZZ_CHECK(line > *(uint32_t *)arg);
	*(uint32_t *)arg = line;
}

/* what a record names could be asked for, unless it is the root */
static void
check_record(int type, struct slice rdata, struct arena *a)
{
	struct msg_dns_record	r;
	struct slice		name;

	if (record_take(type, rdata, a, &r) < 0 || r.name.len == 0)
		return;
	FUZZ_CHECK(name_take(r.name, a, &name) == 0);
	FUZZ_CHECK(slice_equal(name, r.name));
}

FUZZ(dnsd_names)
{
	static const int	types[] = { DNS_A, DNS_AAAA, DNS_MX, DNS_PTR,
				    DNS_CNAME, DNS_TXT };
	struct arena		a = ARENA_INIT;
	struct hosts		h = HOSTS_INIT;
	struct dns_servers	s = { .count = 0 };
	struct slice		name, again;
	uint32_t		line = 0;

	(void)scratch;
	if (name_take(input, &a, &name) == 0) {
		FUZZ_CHECK(name_take(name, &a, &again) == 0);
		FUZZ_CHECK(slice_equal(name, again));
		(void)name_is_numeric(name);
		(void)name_is_within(name, "test");
	}
	for (size_t i = 0; i < COUNT(types); i++)
		check_record(types[i], input, &a);
	hosts_read(&h, input, bad_line, &line);
	servers_read(&s, input);
	if (servers_add(&s, input) == 0)
		FUZZ_CHECK(strchr(s.v[s.count - 1].text, '@') != NULL);
	hosts_free(&h);
	arena_free(&a);
}
