/* SPDX-License-Identifier: ISC */
/*
 * One question: names that are answered here (hosts, localhost, names that
 * cannot exist), and what libunbound answers, as records.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unbound.h>

#include "dnsd/dnsd.h"

#define RECORDS_MAX	1000	/* ipc_dns.def */
#define BYTES_MAX	((size_t)4 << 20)
#define HOSTS_TTL	60
#define PROBE_WAIT	1000	/* ms that first questions wait for the probe */

/* one question being answered */
struct asked {
	struct dnsd		*dnsd;
	struct arena		*arena;
	struct slice		 name;
	int			 type;
	int64_t			 ms;
	struct ub_result	*result;	/* records are lent from it */
	struct msg_dns_answer	*out;
};

/* no_name - there is no such name */
static void
no_name(struct asked *q, const char *why)
{
	q->out->rcode = DNS_NXDOMAIN;
	q->out->text = slice_of(why);
}

/* failed - it is not known now */
static void
failed(struct asked *q, const char *why)
{
	q->out->rcode = DNS_SERVFAIL;
	q->out->text = slice_sub(slice_of(why), 0, 300);
}

/* --- answered here */

/* give_addresses - records of addresses that lie one behind the other */
static void
give_addresses(struct asked *q, const void *first, size_t size, size_t count)
{
	struct msg_dns_record *r = ARENA_ARRAY(q->arena,
	    struct msg_dns_record, count);

	for (size_t i = 0; i < count; i++)
		r[i].data = arena_dup(q->arena,
		    slice_over((const char *)first + i * size, size));
	q->out->records.v = r;
	q->out->records.n = count;
	q->out->canonical = q->name;
	q->out->ttl = HOSTS_TTL;
}

/* give_localhost - RFC 6761 6.3 */
static void
give_localhost(struct asked *q)
{
	static const unsigned char v4[4] = { 127, 0, 0, 1 };
	static const unsigned char v6[16] = { [15] = 1 };

	q->out->canonical = q->name;
	if (q->type == DNS_A)
		give_addresses(q, v4, sizeof(v4), 1);
	else if (q->type == DNS_AAAA)
		give_addresses(q, v6, sizeof(v6), 1);
}

/* give_reverse - the name that hosts has for an address */
static bool
give_reverse(struct asked *q)
{
	struct slice		 name = hosts_find_reverse(&q->dnsd->hosts,
				     q->name);
	struct msg_dns_record	*r;

	if (q->type != DNS_PTR || name.len == 0)
		return false;
	r = ARENA_NEW(q->arena, struct msg_dns_record);
	r->name = name;
	q->out->records.v = r;
	q->out->records.n = 1;
	q->out->canonical = q->name;
	q->out->ttl = HOSTS_TTL;
	return true;
}

/* is_here - answered without asking anybody? */
static bool
is_here(struct asked *q)
{
	const struct hosts_name *host = hosts_find(&q->dnsd->hosts, q->name);

	if (name_is_within(q->name, "localhost")) {
		give_localhost(q);
	} else if (host != NULL && q->type == DNS_A) {
		give_addresses(q, host->v4, 4, host->v4_count);
	} else if (host != NULL && q->type == DNS_AAAA) {
		give_addresses(q, host->v6, 16, host->v6_count);
	} else if (give_reverse(q)) {
		return true;
	} else if (name_is_within(q->name, "invalid") ||
	    name_is_within(q->name, "onion") ||
	    (name_is_within(q->name, "test") && !q->dnsd->own_servers)) {
		/* RFC 6761 6.2, 6.4; RFC 7686 */
		no_name(q, "a name that is never in the DNS");
	} else if (name_is_numeric(q->name)) {
		no_name(q, "an address, not a name");
	} else {
		return false;
	}
	return true;
}

/* --- answered by libunbound */

/* take_records - as many as an answer may have */
static void
take_records(struct asked *q)
{
	const struct ub_result	*u = q->result;
	struct msg_dns_record	*r;
	size_t			 n = 0, count = 0, bytes = 0;

	while (u->data[count] != NULL && count < RECORDS_MAX)
		count++;
	r = ARENA_ARRAY(q->arena, struct msg_dns_record, count);
	for (size_t i = 0; i < count; i++) {
		struct slice rdata = slice_over(u->data[i],
		    u->len[i] < 0 ? 0 : (size_t)u->len[i]);

		bytes += rdata.len;
		if (bytes > BYTES_MAX)
			break;
		/* a record that no host can be behind is left out */
		if (record_take(q->type, rdata, q->arena, &r[n]) == 0)
			n++;
	}
	if (q->type == DNS_MX)
		records_sort(r, n);
	q->out->records.v = r;
	q->out->records.n = n;
	if (n == 0 && count > 0)
		failed(q, "the records in the answer are malformed");
}

/* take_answer - what it says */
static void
take_answer(struct asked *q)
{
	const struct ub_result	*u = q->result;
	struct slice		 canonical = q->name;

	q->out->secure = u->secure != 0;
	q->out->bogus = u->bogus != 0;
	q->out->ttl = u->ttl < 0 ? 0 : (uint32_t)u->ttl;
	if (u->canonname != NULL && name_take(slice_of(u->canonname),
	    q->arena, &canonical) < 0)
		canonical = q->name;
	q->out->canonical = canonical;
	if (u->bogus) {
		failed(q, u->why_bogus != NULL ? u->why_bogus :
		    "DNSSEC refuted the answer");
		log_event(daemon_log(q->dnsd->daemon), EV_DNSD_BOGUS,
		    KV_STR("name", q->name), KV_STR("why", q->out->text));
	} else if (u->rcode == DNS_NXDOMAIN) {
		q->out->rcode = DNS_NXDOMAIN;
		if (hosts_find(&q->dnsd->hosts, q->name) != NULL)
			q->out->rcode = DNS_OK;	/* it is, with no such data */
	} else if (u->rcode != DNS_OK) {
		failed(q, "the name servers could not answer");
	} else if (u->havedata) {
		take_records(q);
	}
}

/* which - the resolver to ask; the first questions wait for the decision */
static int
which(struct task *t, struct dnsd *s, struct resolver **ret_resolver)
{
	int r = 0;

	for (int i = 0; i < PROBE_WAIT / 20 && !s->probed && r == 0; i++)
		r = task_sleep(t, 20);
	*ret_resolver = s->validates ? &s->validating : &s->plain;
	return r;
}

/* ask - have libunbound answer */
static int
ask(struct task *t, struct asked *q)
{
	struct dnsd	*s = q->dnsd;
	struct resolver	*resolver;
	const char	*why = NULL;
	int		 r;

	s->under_way++;
	if ((r = which(t, s, &resolver)) == 0)
		r = resolver_ask(t, resolver, q->name.data, q->type, q->ms,
		    &q->result, &why);
	s->under_way--;
	if (r == 0)
		take_answer(q);
	else if (r == -ETIMEDOUT)
		failed(q, "no answer came in time");
	else if (r == -EIO)
		failed(q, why);
	return r == -ETIMEDOUT || r == -EIO ? 0 : r;
}

/* is_full - are too many under way? said once */
static bool
is_full(struct dnsd *s, const struct dnsd_params *p)
{
	bool full = s->under_way >= (size_t)p->dns_query_limit;

	if (full && !s->full)
		log_event(daemon_log(s->daemon), EV_DNSD_FULL,
		    KV_UINT("count", s->under_way));
	s->full = full;
	return full;
}

/* on_ask - one question, in a task of its own */
static int
on_ask(struct task *t, struct ipc_conn *c, struct ipc_in *in, struct arena *a,
    void *arg)
{
	struct dnsd			*s = arg;
	const struct dnsd_params	*p = daemon_params(s->daemon);
	const struct msg_dns_ask	*m = in->msg;
	struct msg_dns_answer		 out = { .rcode = DNS_OK };
	struct asked			 q = { .dnsd = s, .arena = a,
					     .type = (int)m->type,
					     .ms = p->dns_time_limit,
					     .out = &out };
	int				 r = 0;

	if (in->desc->number != MSG_dns_ask)
		return -EBADMSG;
	if (m->limit > 0 && m->limit < q.ms)
		q.ms = m->limit;
	if (name_take(m->name, a, &q.name) < 0)
		no_name(&q, "not a name that the DNS can have");
	else if (is_here(&q))
		r = 0;
	else if (is_full(s, p))
		failed(&q, "too many look-ups are under way");
	else
		r = ask(t, &q);
	if (r == 0)
		r = ipc_reply(c, in->request, &msg_dns_answer_desc, &out);
	ub_resolve_free(q.result);
	return r;
}

/* dnsd_caller - serve one edge */
int
dnsd_caller(struct task *t, struct daemon *d, int *fd_take,
    const struct daemon_caller *who)
{
	struct ipc_conn	c;
	int		r;

	ipc_open(&c, daemon_loop(d), fd_take, &ipc_table_dns, IPC_CALLEE);
	r = ipc_serve_parallel(t, &c, on_ask, daemon_data(d), DNSD_CALLS_MAX);
	daemon_caller_close(who, &c);
	return r;
}
