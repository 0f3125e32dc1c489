/* SPDX-License-Identifier: ISC */
/*
 * dnsd on the real loop, with libunbound, asking a name server of the test's
 * own on a thread: what it knows is a table below. Where a test wants it, the
 * table is the root zone, signed with a key that is made for it.
 */
#include "peer_daemon.h"
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dnsd/dnsd.h"
#include "libutil/base64.h"
#include "libutil/conf.h"
#include "libutil/diag.h"

static const struct daemon_spec spec = {
	.name = "dnsd",
	.params = &dnsd_param_table,
	.params_size = sizeof(struct dnsd_params),
	.run = dnsd_run,
	.edge = dnsd_caller,
};

/* --- the name server */

#define WIRE(text)	text, sizeof(text) - 1
#define TYPE_SILENT	0	/* it never answers questions for that name */

static const struct zone_row {
	const char	*name;
	int		 type;
	const char	*data;
	size_t		 len;
} zone[] = {
	{ "a.example",	DNS_A,		WIRE("\300\0\2\1") },
	{ "a.example",	DNS_A,		WIRE("\300\0\2\2") },
	{ "a.example",	DNS_AAAA,
	    WIRE("\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1") },
	{ "example",	DNS_MX,		WIRE("\0\24\1b\7example\0") },
	{ "example",	DNS_MX,		WIRE("\0\12\1a\7EXAMPLE\0") },
	{ "null.example", DNS_MX,	WIRE("\0\0\0") },
	{ "bad.example", DNS_MX,	WIRE("\0\1\3a\nb\7example\0") },
	{ "www.example", DNS_CNAME,	WIRE("\1a\7example\0") },
	{ "t.example",	DNS_TXT,	WIRE("\3abc\2de") },
	{ "_25._tcp.a.example", DNS_TLSA, WIRE("\3\1\1\1\2\3") },
	{ "1.2.0.192.in-addr.arpa", DNS_PTR, WIRE("\1a\7example\0") },
	{ "4.3.2.10.in-addr.arpa", DNS_PTR, WIRE("\3lan\7example\0") },
	{ "m.test",	DNS_A,		WIRE("\300\0\2\7") },
	{ "silent.example", TYPE_SILENT, NULL, 0 },
	{ "forged.example", DNS_A,	WIRE("\300\0\2\10") },
};

struct server {
	pthread_t	 thread;
	int		 fd;
	int		 stop[2];
	unsigned	 port;
	unsigned	 asked;
	EVP_PKEY	*key;		/* NULL: nothing is signed */
	struct buf	 dnskey;	/* its RDATA */
	unsigned	 key_tag;
};

/* read_name - of a question, without compression; says where it ends */
static size_t
read_name(const unsigned char *q, size_t len, char *out, size_t size)
{
	size_t at = 12, n = 0;

	while (at < len && q[at] != 0 && q[at] < 64 && at + q[at] < len) {
		if (n > 0 && n < size - 1)
			out[n++] = '.';
		for (int i = 1; i <= q[at] && n < size - 1; i++)
			out[n++] = ascii_lower((char)q[at + (size_t)i]);
		at += q[at] + 1u;
	}
	out[n] = '\0';
	return at + 1;
}

static void
put16(struct buf *b, unsigned v)
{
	buf_add_byte(b, (char)(v >> 8));
	buf_add_byte(b, (char)v);
}

static void
put32(struct buf *b, uint32_t v)
{
	put16(b, v >> 16);
	put16(b, v & 0xffff);
}

#define TTL		300
#define TYPE_RRSIG	46
#define TYPE_DNSKEY	48
#define TYPE_OPT	41
#define ED25519		15	/* RFC 8080 */

/* add_record - with the name of the question */
static void
add_record(struct buf *b, int type, struct slice rdata)
{
	put16(b, 0xc00c);
	put16(b, (unsigned)type);
	put16(b, 1);
	put32(b, TTL);
	put16(b, (unsigned)rdata.len);
	buf_add(b, rdata);
}

/* add_wire - a name as labels */
static void
add_wire(struct buf *b, const char *name)
{
	struct slice rest = slice_of(name), label;

	while (slice_next_word(&rest, ".", &label)) {
		buf_add_byte(b, (char)label.len);
		buf_add(b, label);
	}
	buf_add_byte(b, 0);
}

/* a set of records of one name and type */
struct record_set {
	const char	*name;
	int		 type;
	struct slice	 rdata[8];
	size_t		 count;
};

/* add_signature - an RRSIG record (RFC 4034 3.1.8.1) */
static void
add_signature(struct server *s, struct buf *b, const struct record_set *set)
{
	struct buf	 head = BUF_INIT, text = BUF_INIT;
	unsigned char	 sig[64];
	size_t		 len = sizeof(sig), labels = set->name[0] != '\0';
	EVP_MD_CTX	*m = EVP_MD_CTX_new();
	uint32_t	 now = (uint32_t)time(NULL);

	for (const char *c = set->name; *c != '\0'; c++)
		labels += *c == '.';
	put16(&head, (unsigned)set->type);
	buf_add_byte(&head, ED25519);
	buf_add_byte(&head, (char)labels);
	put32(&head, TTL);
	put32(&head, now + 86400);
	put32(&head, now - 86400);
	put16(&head, s->key_tag);
	buf_add_byte(&head, 0);
	buf_add(&text, buf_slice(&head));
	for (size_t i = 0; i < set->count; i++) {
		add_wire(&text, set->name);
		put16(&text, (unsigned)set->type);
		put16(&text, 1);
		put32(&text, TTL);
		put16(&text, (unsigned)set->rdata[i].len);
		buf_add(&text, set->rdata[i]);
	}
	/* a byte more than the answer has */
	if (strcmp(set->name, "forged.example") == 0)
		buf_add_byte(&text, 0);
	if (EVP_DigestSignInit(m, NULL, NULL, NULL, s->key) == 1 &&
	    EVP_DigestSign(m, sig, &len, (unsigned char *)text.data,
	    text.len) == 1)
		buf_add(&head, slice_over(sig, len));
	add_record(b, TYPE_RRSIG, buf_slice(&head));
	EVP_MD_CTX_free(m);
	buf_free(&head);
	buf_free(&text);
}

/* make_key - the root's */
static void
make_key(struct server *s)
{
	unsigned char	public[32];
	size_t		len = sizeof(public);
	uint32_t	sum = 0;

	s->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	CHECK_INT(EVP_PKEY_get_raw_public_key(s->key, public, &len), 1, 0);
	put16(&s->dnskey, 257);
	buf_add_byte(&s->dnskey, 3);
	buf_add_byte(&s->dnskey, ED25519);
	buf_add(&s->dnskey, slice_over(public, len));
	/* RFC 4034 appendix B */
	for (size_t i = 0; i < s->dnskey.len; i++) {
		uint32_t byte = (unsigned char)s->dnskey.data[i];

		sum += (i & 1) != 0 ? byte : byte << 8;
	}
	sum += sum >> 16;
	s->key_tag = sum & 0xffff;
}

/* collect - what the zone has; false: stay silent */
static bool
collect(struct server *s, struct record_set *set, unsigned type,
    bool *ret_known)
{
	*ret_known = set->name[0] == '\0';
	set->type = (int)type;
	if (*ret_known && type == TYPE_DNSKEY && s->key != NULL)
		set->rdata[set->count++] = buf_slice(&s->dnskey);
	for (size_t i = 0; i < COUNT(zone); i++) {
		if (strcmp(zone[i].name, set->name) != 0)
			continue;
		if (zone[i].type == TYPE_SILENT)
			return false;
		*ret_known = true;
		if ((unsigned)zone[i].type != type &&
		    zone[i].type != DNS_CNAME)
			continue;
		set->type = zone[i].type;
		set->rdata[set->count++] = slice_over(zone[i].data,
		    zone[i].len);
	}
	return true;
}

/* answer - false: stay silent */
static bool
answer(struct server *s, struct buf *b, const unsigned char *q, size_t len)
{
	char			name[300];
	size_t			end = read_name(q, len, name, sizeof(name));
	struct record_set	set = { .name = name };
	bool			known, is_signed;

	if (end + 4 > len ||
	    !collect(s, &set, (unsigned)q[end] << 8 | q[end + 1], &known))
		return false;
	is_signed = s->key != NULL && set.count > 0;
	buf_add(b, slice_over(q, 2));
	put16(b, known ? 0x8180 : 0x8183);
	put16(b, 1);
	put16(b, (unsigned)set.count + is_signed);
	put16(b, 0);
	put16(b, 1);
	buf_add(b, slice_over(q + 12, end + 4 - 12));
	for (size_t i = 0; i < set.count; i++)
		add_record(b, set.type, set.rdata[i]);
	if (is_signed)
		add_signature(s, b, &set);
	buf_add_byte(b, 0);		/* EDNS, with DO (RFC 6891) */
	put16(b, TYPE_OPT);
	put16(b, 1232);
	put32(b, 0x8000);
	put16(b, 0);
	return true;
}

static void *
server_main(void *arg)
{
	struct server		*s = arg;
	struct sockaddr_in	 from;
	unsigned char		 q[2048];
	fd_set			 set;

	for (;;) {
		socklen_t	 len = sizeof(from);
		struct buf	 b = BUF_INIT;
		ssize_t		 n;

		FD_ZERO(&set);
		FD_SET(s->fd, &set);
		FD_SET(s->stop[0], &set);
		if (select(s->fd + s->stop[0] + 1, &set, NULL, NULL, NULL) < 0 ||
		    FD_ISSET(s->stop[0], &set))
			return NULL;
		n = recvfrom(s->fd, q, sizeof(q), 0, (struct sockaddr *)&from,
		    &len);
		__atomic_add_fetch(&s->asked, 1, __ATOMIC_SEQ_CST);
		if (n > 12 && answer(s, &b, q, (size_t)n))
			ignore(sendto(s->fd, b.data, b.len, 0,
			    (struct sockaddr *)&from, len));
		buf_free(&b);
	}
}

static void
server_start(struct server *s)
{
	struct sockaddr_in	at = { .sin_family = AF_INET };
	socklen_t		len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(bind(s->fd, (struct sockaddr *)&at, len) == 0 &&
	    getsockname(s->fd, (struct sockaddr *)&at, &len) == 0 &&
	    pipe(s->stop) == 0, 0);
	s->port = ntohs(at.sin_port);
	CHECK_INT(pthread_create(&s->thread, NULL, server_main, s), 0, 0);
}

static void
server_stop(struct server *s)
{
	close(s->stop[1]);
	pthread_join(s->thread, NULL);
	close(s->stop[0]);
	close(s->fd);
	EVP_PKEY_free(s->key);
	buf_free(&s->dnskey);
}

/* --- the world */

struct world {
	struct loop		*loop;
	struct daemon		*daemon;
	struct task_group	 group;
	struct arena		 arena;
	struct ipc_conn		 caller;
	struct server		 server;
	void			(*test)(struct task *t, struct world *w);
};

static int
serve(struct task *t, void *arg)
{
	return daemon_serve(t, arg);
}

static int
replies(struct task *t, void *arg)
{
	int r = ipc_run_replies(t, arg);

	ipc_close(arg);
	return r == -ECANCELED ? r : 0;
}

static int
world_task(struct task *t, void *arg)
{
	struct world		*w = arg;
	struct daemon_caller	 who = { S("smtp"), S("smtp"), 1, 0 };
	int			 fds[2];

	task_group_begin(t, &w->group);
	task_group_start(&w->group, serve, w->daemon);
	CHECK_INT(task_yield(t), 0, 0);
	CHECK_INT(fd_pair(fds), 0, 0);
	daemon_add_caller(w->daemon, &fds[0], &who);
	ipc_open(&w->caller, w->loop, &fds[1], &ipc_table_dns, IPC_CALLER);
	task_group_start(&w->group, replies, &w->caller);
	w->test(t, w);
	ipc_close(&w->caller);
	daemon_end(w->daemon);
	return task_group_end(t, &w->group);
}

/* write_hosts - the hosts file of the test */
static void
write_hosts(char *path, size_t size)
{
	FILE *f;

	(void)snprintf(path, size, "%s/hosts", test_tmpdir());
	f = fopen(path, "w");
	fprintf(f, "192.0.2.99 here.example here\n");
	fclose(f);
}

/* write_anchor - the trust anchor of the test */
static void
write_anchor(struct server *s, char *path, size_t size)
{
	struct buf	 b = BUF_INIT;
	FILE		*f;

	base64_encode(&b, slice_from(buf_slice(&s->dnskey), 4));
	(void)snprintf(path, size, "%s/root.key", test_tmpdir());
	f = fopen(path, "w");
	fprintf(f, "; the root\n\n. IN DNSKEY 257 3 %d %s ; key\n", ED25519,
	    buf_cstr(&b));
	fclose(f);
	buf_free(&b);
}

/* how dnsd is set up */
struct how {
	bool		 no_servers;	/* dns_resolver is empty */
	bool		 no_signatures;
	bool		 anchor;
	const char	*validation;
};

static void
run(void (*test)(struct task *t, struct world *w), struct how how)
{
	struct log_setup	setup = { .sink = no_sink };
	struct loop_options	o = { .workers = 1 };
	struct conf		*conf = conf_new(NULL);
	struct diag		diag = DIAG_INIT;
	struct world		w = { .test = test };
	struct dnsd		*s;
	char			text[600];

	log_start(&setup);
	if (how.anchor) {
		make_key(&w.server);
		write_anchor(&w.server, text, sizeof(text));
		conf_put(conf, S("dns_trust_anchor_file"), slice_of(text), "",
		    0);
	}
	if (how.no_signatures) {
		EVP_PKEY_free(w.server.key);
		w.server.key = NULL;
	}
	conf_put(conf, S("dns_validation"), slice_of(how.validation), "", 0);
	server_start(&w.server);
	write_hosts(text, sizeof(text));
	conf_put(conf, S("dns_hosts_file"), slice_of(text), "", 0);
	(void)snprintf(text, sizeof(text), "127.0.0.1:%u", w.server.port);
	if (!how.no_servers)
		conf_put(conf, S("dns_resolver"), slice_of(text), "", 0);
	w.loop = loop_new(&o);
	w.daemon = daemon_new(w.loop, &spec, conf, no_edge, NULL, &diag);
	if (CHECK(w.daemon != NULL, 0) &&
	    CHECK_INT(dnsd_prepare(w.daemon, &diag), 0, 0) == 0) {
		CHECK_INT(loop_run(w.loop, world_task, &w), 0, 0);
		s = daemon_data(w.daemon);
		CHECK_INT(s->under_way, 0, 0);
		dnsd_free(&s);
	}
	if (diag.text[0] != '\0')
		printf("# %s\n", diag.text);
	daemon_free(&w.daemon);
	arena_free(&w.arena);
	loop_free(w.loop);
	conf_free(&conf);
	server_stop(&w.server);
}

#define NEVER	((struct how){ .validation = "never" })

static const struct msg_dns_answer *
ask(struct task *t, struct world *w, const char *name, int type, uint32_t ms)
{
	static const struct msg_dns_answer failed = { .rcode = 99 };
	struct msg_dns_ask	 m = { slice_of(name), (uint32_t)type, ms };
	void			*reply;

	if (CHECK_INT(ipc_call(t, &w->caller, &msg_dns_ask_desc, &m,
	    &msg_dns_answer_desc, &w->arena, &reply), 0, 0) < 0)
		return &failed;
	return reply;
}

/* describe - an answer as a line */
static void
describe(const struct msg_dns_answer *a, struct buf *out)
{
	buf_reset(out);
	buf_addf(out, "%u", a->rcode);
	for (size_t i = 0; i < a->records.n; i++) {
		const struct msg_dns_record *r = &a->records.v[i];

		if (r->preference > 0)
			buf_addf(out, " %u", r->preference);
		buf_addf(out, " %.*s", SLICE_ARG(r->name));
		for (size_t j = 0; j < r->data.len; j++)
			buf_addf(out, "%02x", (unsigned char)r->data.data[j]);
	}
}

struct question {
	const char	*name;
	int		 type;
	const char	*want;
};

static void
ask_all(struct task *t, struct world *w, const struct question *q, size_t n)
{
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		const struct msg_dns_answer *a = ask(t, w, q[i].name, q[i].type,
		    5000);

		describe(a, &text);
		CHECK_TEXT(buf_slice(&text), q[i].want, i);
		CHECK(a->rcode == 0 || a->text.len > 0 || a->rcode == 3, i);
		CHECK(!a->secure && !a->bogus, i);
	}
	buf_free(&text);
}

static void
answers(struct task *t, struct world *w)
{
	static const struct question q[] = {
		{ "a.example", DNS_AAAA,
		    "0 20010db8000000000000000000000001" },
		{ "EXAMPLE.", DNS_MX, "0 10 a.example 20 b.example" },
		{ "null.example", DNS_MX, "0 " },
		{ "bad.example", DNS_MX, "2" },
		{ "t.example", DNS_TXT, "0 03616263026465" },
		{ "t.example", DNS_A, "0" },
		{ "_25._tcp.a.example", DNS_TLSA, "0 030101010203" },
		{ "1.2.0.192.in-addr.arpa", DNS_PTR, "0 a.example" },
		{ "4.3.2.10.in-addr.arpa", DNS_PTR, "0 lan.example" },
		{ "none.example", DNS_A, "3" },
		{ "m.test", DNS_A, "0 c0000207" },
	};
	const struct msg_dns_answer *a;

	ask_all(t, w, q, COUNT(q));
	a = ask(t, w, "a.example", DNS_A, 5000);
	CHECK_INT(a->records.n, 2, 0);
	CHECK(a->ttl > 0 && a->ttl <= 300, 0);
	a = ask(t, w, "www.example", DNS_A, 5000);
	CHECK_INT(a->records.n, 2, 1);
	CHECK_TEXT(a->canonical, "a.example", 1);
}

TEST(dnsd_answers)
{
	run(answers, NEVER);
}

/* what is answered without asking anybody */
static void
own_answers(struct task *t, struct world *w)
{
	static const struct question q[] = {
		{ "localhost", DNS_A, "0 7f000001" },
		{ "x.LOCALHOST.", DNS_AAAA,
		    "0 00000000000000000000000000000001" },
		{ "localhost", DNS_MX, "0" },
		{ "here.example", DNS_A, "0 c0000263" },
		{ "here", DNS_A, "0 c0000263" },
		{ "here.example", DNS_AAAA, "0" },
		{ "99.2.0.192.in-addr.arpa", DNS_PTR, "0 here.example" },
		{ "m.test", DNS_A, "3" },
		{ "a.invalid", DNS_A, "3" },
		{ "a.onion", DNS_A, "3" },
		{ "192.0.2.1", DNS_A, "3" },
		{ "a..b", DNS_A, "3" },
		{ "a b.example", DNS_A, "3" },
		{ "", DNS_A, "3" },
	};

	ask_all(t, w, q, COUNT(q));
	CHECK_INT(w->server.asked, 0, 0);
}

TEST(dnsd_own_answers)
{
	run(own_answers,
	    (struct how){ .no_servers = true, .validation = "never" });
}

/* hosts says that a name is, the DNS does not know it: no data, not no name */
static void
mixed(struct task *t, struct world *w)
{
	static const struct question q[] = {
		{ "here.example", DNS_MX, "0" },
		{ "gone.example", DNS_MX, "3" },
	};

	ask_all(t, w, q, COUNT(q));
}

TEST(dnsd_hosts_and_dns)
{
	run(mixed, NEVER);
}

/* a server that says nothing: an answer in time, and the others go on */
struct many {
	struct world	*w;
	unsigned	 rcode;
	int		 number;
};

static int
many_task(struct task *t, void *arg)
{
	struct many	*m = arg;
	char		 name[40];

	(void)snprintf(name, sizeof(name), m->number % 2 == 0 ? "a.example" :
	    "n%d.silent.example", m->number);
	if (m->number % 4 == 1)
		(void)snprintf(name, sizeof(name), "silent.example");
	m->rcode = ask(t, m->w, name, DNS_A, 700)->rcode;
	return 0;
}

static void
silence(struct task *t, struct world *w)
{
	enum { N = 60 };
	struct many		 m[N];
	struct task_group	 g;
	int64_t			 began = task_now(t);

	task_group_begin(t, &g);
	for (int i = 0; i < N; i++) {
		m[i] = (struct many){ w, 99, i };
		task_group_start(&g, many_task, &m[i]);
	}
	CHECK_INT(task_group_end(t, &g), 0, 0);
	CHECK(task_now(t) - began < 5000, 0);
	for (int i = 0; i < N; i++)
		CHECK_INT(m[i].rcode, i % 2 == 0 ? 0 : i % 4 == 1 ? 2 : 3, i);
}

TEST(dnsd_silence)
{
	run(silence, NEVER);
}

/* the caller goes while answers are awaited */
static void
leave(struct task *t, struct world *w)
{
	struct msg_dns_ask m = { S("silent.example"), DNS_A, 60000 };

	for (int i = 0; i < 5; i++)
		CHECK_INT(ipc_post(&w->caller, &msg_dns_ask_desc, &m), 0, i);
	CHECK_INT(task_sleep(t, 50), 0, 0);
}

TEST(dnsd_caller_leaves)
{
	run(leave, NEVER);
}

/* --- DNSSEC */

static void
signed_zone(struct task *t, struct world *w)
{
	const struct msg_dns_answer *a = ask(t, w, "a.example", DNS_A, 5000);

	CHECK_INT(a->rcode, 0, 0);
	CHECK_INT(a->records.n, 2, 0);
	CHECK(a->secure && !a->bogus, 0);
	a = ask(t, w, "forged.example", DNS_A, 5000);
	CHECK_INT(a->rcode, 2, 1);
	CHECK_INT(a->records.n, 0, 1);
	CHECK(!a->secure && a->bogus && a->text.len > 0, 1);
}

TEST(dnsd_validates)
{
	run(signed_zone, (struct how){ .anchor = true, .validation = "auto" });
	run(signed_zone, (struct how){ .anchor = true,
	    .validation = "always" });
}

static void
nothing_proved(struct task *t, struct world *w)
{
	const struct msg_dns_answer *a = ask(t, w, "a.example", DNS_A, 5000);

	CHECK_INT(a->rcode, 0, 0);
	CHECK_INT(a->records.n, 2, 0);
	CHECK(!a->secure && !a->bogus, 0);
}

/* servers that strip signatures must not stop all mail */
TEST(dnsd_does_not_validate)
{
	run(nothing_proved, (struct how){ .anchor = true,
	    .no_signatures = true, .validation = "auto" });
	run(nothing_proved, (struct how){ .anchor = true,
	    .validation = "never" });
}

static void
all_bogus(struct task *t, struct world *w)
{
	const struct msg_dns_answer *a = ask(t, w, "a.example", DNS_A, 5000);

	CHECK_INT(a->rcode, 2, 0);
	CHECK(!a->secure && a->bogus, 0);
}

/* unless the administrator says so */
TEST(dnsd_must_validate)
{
	run(all_bogus, (struct how){ .anchor = true, .no_signatures = true,
	    .validation = "always" });
}
