/* SPDX-License-Identifier: ISC */
/* signd with callers: what each may have, and handshakes with its keys. */
#include "peer_daemon.h"
#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/ipc_sign.h"
#include "libglobal/tls_server.h"
#include "libtask/stream.h"
#include "libutil/conf.h"
#include "libutil/diag.h"
#include "signd/signd.h"
#include "unit/libtask/identity.h"

static const struct daemon_spec spec = {
	.name = "signd",
	.params = &signd_param_table,
	.params_size = sizeof(struct signd_params),
	.run = signd_run,
	.edge = signd_caller,
};

struct world {
	struct loop		*loop;
	struct daemon		*daemon;
	struct signd		*signd;
	struct task_group	 group;
	struct arena		 arena;
	struct ipc_conn		 smtpd, imapd, smtp;
	unsigned		 changed;	/* sign_changed that came */
	char			 folder[512];
};

/* the events of a run, a letter each: a test that looks at one says so */
struct events {
	unsigned	unusable, expired, expires, open_key, refused;
	char		why[300];
};
static struct events	seen;

static void
sink(void *arg, const struct log_record *record)
{
	const struct kv	*why = log_record_get(record, "why");

	(void)arg;
	seen.unusable += record->event == EV_SIGND_UNUSABLE ||
	    record->event == EV_SIGND_SNI;
	seen.expired += record->event == EV_SIGND_EXPIRED;
	seen.expires += record->event == EV_SIGND_EXPIRES;
	seen.open_key += record->event == EV_SIGND_OPEN_KEY;
	seen.refused += record->event == EV_SIGND_REFUSED ||
	    record->event == EV_SIGND_NOT_ALLOWED;
	if (why != NULL)
		(void)snprintf(seen.why, sizeof(seen.why), "%.*s",
		    SLICE_ARG(why->value.s));
}

/* write_identity - a key and a certificate that lives for some seconds */
static void
write_identity(struct world *w, const char *name, const char *type,
    const char *names, long seconds, mode_t mode)
{
	EVP_PKEY	*key = make_key(type), *ca_key = make_key("P-256");
	X509		*ca = make_certificate(ca_key, NULL, ca_key, NULL);
	X509		*leaf = make_certificate(key, names, ca_key, ca);
	struct buf	 pem = BUF_INIT;
	char		 path[600];
	int		 fd;

	X509_gmtime_adj(X509_getm_notAfter(leaf), seconds);
	X509_sign(leaf, ca_key, EVP_sha256());
	add_pem(&pem, NULL, key);
	add_pem(&pem, leaf, NULL);
	add_pem(&pem, ca, NULL);
	(void)snprintf(path, sizeof(path), "%s/%s", w->folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	CHECK(fd >= 0 && fchmod(fd, mode) == 0, 0);
	CHECK_INT(write(fd, pem.data, pem.len), (long)pem.len, 0);
	close(fd);
	buf_free(&pem);
	X509_free(leaf);
	X509_free(ca);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
}

/* put - a parameter; %F in it is the folder */
static void
put(struct world *w, struct conf *conf, const char *name, const char *value)
{
	struct buf	b = BUF_INIT;

	for (; *value != '\0'; value++)
		if (value[0] == '%' && value[1] == 'F') {
			buf_add_text(&b, w->folder);
			value++;
		} else {
			buf_add_byte(&b, *value);
		}
	conf_put(conf, slice_of(name), buf_slice(&b), "", 0);
	buf_free(&b);
}

struct setting {
	const char	*name;
	const char	*value;
};

/* begin - a signd that has read what the settings name */
static void
begin(struct world *w, uint64_t seed, const struct setting *settings,
    size_t count)
{
	struct log_setup	setup = { .sink = sink };
	struct loop_options	o = { .sim_seed = seed };
	struct conf		*conf = conf_new(NULL);
	struct diag		diag = DIAG_INIT;

	log_start(&setup);
	seen = (struct events){ 0 };
	put(w, conf, "config_directory", "%F");
	for (size_t i = 0; i < count; i++)
		put(w, conf, settings[i].name, settings[i].value);
	w->loop = loop_new(&o);
	w->daemon = daemon_new(w->loop, &spec, conf, no_edge, NULL, &diag);
	if (w->daemon == NULL)
		printf("# %s\n", diag.text);
	CHECK_INT(signd_prepare(w->daemon, &diag), 0, 0);
	w->signd = daemon_data(w->daemon);
	conf_free(&conf);
}

static void
end(struct world *w)
{
	signd_free(&w->signd);
	daemon_free(&w->daemon);
	arena_free(&w->arena);
	loop_free(w->loop);
}

static void
make_folder(struct world *w)
{
	static int n;

	(void)snprintf(w->folder, sizeof(w->folder), "%s/%d", test_tmpdir(),
	    n++);
	CHECK_INT(mkdir(w->folder, 0700), 0, 0);
}

/* --- loading */

TEST(signd_load)
{
	static const struct {
		struct setting	set[4];
		size_t		smtpd, imapd;
		unsigned	unusable;
	} cases[] = {
		{ { { NULL, NULL } }, 0, 0, 0 },
		{ { { "smtpd_tls_chain_files", "%F/a.pem" } }, 1, 1, 0 },
		{ { { "smtpd_tls_chain_files", "%F/a.pem, %F/b.pem" } }, 2, 2,
		    0 },
		{ { { "smtpd_tls_chain_files", "%F/a.pem" },
		    { "imapd_tls_chain_files", "%F/a.pem %F/b.pem" } }, 1, 2,
		    0 },
		{ { { "smtpd_tls_cert_file", "%F/a.pem" } }, 1, 1, 0 },
		{ { { "smtpd_tls_cert_file", "none" } }, 0, 0, 0 },
		{ { { "smtpd_tls_cert_file", "%F/a.pem" },
		    { "smtpd_tls_eccert_file", "%F/b.pem" } }, 2, 2, 0 },
		{ { { "smtpd_tls_cert_file", "%F/a.pem" },
		    { "imapd_tls_cert_file", "%F/b.pem" } }, 1, 1, 0 },
		{ { { "smtpd_tls_cert_file", "%F/a.pem" },
		    { "smtpd_tls_key_file", "%F/b.pem" } }, 0, 0, 2 },
		{ { { "smtpd_tls_cert_file", "%F/none.pem" } }, 0, 0, 2 },
		{ { { "smtpd_tls_chain_files", "%F" } }, 0, 0, 2 },
		{ { { "smtpd_tls_chain_files", "%F/a.pem" },
		    { "tls_server_sni_maps",
		    "inline:{ {x.example = %F/b.pem}, y.example=%F/a.pem }" } },
		    3, 3, 0 },
		{ { { "tls_server_sni_maps", "texthash:%F/sni" } }, 2, 2, 0 },
		{ { { "tls_server_sni_maps", "inline:{ x.example }" } }, 0, 0,
		    1 },
		{ { { "tls_server_sni_maps", "hash:%F/sni" } }, 0, 0, 1 },
		{ { { "tls_server_sni_maps", "inline:{ {x = %F/q} }" } }, 0, 0,
		    2 },
	};
	struct world	w = { .changed = 0 };
	char		path[600];
	FILE		*f;

	make_folder(&w);
	write_identity(&w, "a.pem", "RSA", "DNS:a.example", 864000, 0600);
	write_identity(&w, "b.pem", "P-256", "DNS:b.example", 864000, 0600);
	(void)snprintf(path, sizeof(path), "%s/sni", w.folder);
	f = fopen(path, "w");
	fprintf(f, "# hosts\nx.example %s/a.pem\n.y.example\n  %s/b.pem\n",
	    w.folder, w.folder);
	fclose(f);
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t n = 0;

		while (n < COUNT(cases[i].set) && cases[i].set[n].name != NULL)
			n++;
		begin(&w, 1, cases[i].set, n);
		CHECK_INT(w.signd->users[SIGND_USER_smtpd].identities.count,
		    cases[i].smtpd, i);
		CHECK_INT(w.signd->users[SIGND_USER_imapd].identities.count,
		    cases[i].imapd, i);
		CHECK_INT(seen.unusable, cases[i].unusable, i);
		CHECK(cases[i].smtpd > 0 ||
		    w.signd->users[SIGND_USER_smtpd].why[0] != '\0', i);
		end(&w);
	}
}

TEST(signd_notices)
{
	static const struct setting set[] = {
		{ "smtpd_tls_chain_files", "%F/old.pem" },
		{ "imapd_tls_chain_files", "%F/soon.pem" },
	};
	struct world	w = { .changed = 0 };
	int64_t		now = time(NULL);

	make_folder(&w);
	write_identity(&w, "old.pem", "P-256", "DNS:a.example", -60, 0644);
	write_identity(&w, "soon.pem", "P-256", "DNS:a.example", 3600, 0600);
	begin(&w, 1, set, COUNT(set));
	CHECK_INT(seen.open_key, 1, 0);
	signd_notice(w.signd, now, 86400000);
	CHECK_INT(seen.expired, 1, 0);
	CHECK_INT(seen.expires, 1, 0);
	signd_notice(w.signd, now + 3600, 86400000);	/* once a day */
	CHECK_INT(seen.expired, 1, 1);
	signd_notice(w.signd, now + 86400, 86400000);
	CHECK_INT(seen.expired, 3, 2);
	end(&w);
}

/* write_file - a text into the folder; %F in it is the folder */
static void
write_file(struct world *w, const char *name, const char *text)
{
	char	 path[600];
	FILE	*f;

	(void)snprintf(path, sizeof(path), "%s/%s", w->folder, name);
	if ((f = fopen(path, "w")) == NULL)
		abort();
	for (; *text != '\0'; text++)
		if (text[0] == '%' && text[1] == 'F') {
			fputs(w->folder, f);
			text++;
		} else {
			fputc(*text, f);
		}
	fclose(f);
}

/* files_of - the files of a service's own certificates, or "-" */
static void
files_of(struct world *w, const char *service, struct buf *out)
{
	const struct signd_user *u;

	for (size_t i = SIGND_USERS; (u = signd_user_at(w->signd, i)) != NULL;
	    i++) {
		if (!slice_equal(slice_of(u->service), slice_of(service)))
			continue;
		buf_addf(out, "%s:", u->daemon);
		for (size_t n = 0; n < u->identities.count; n++) {
			struct slice file = slice_of(u->identities.v[n].file);

			buf_addf(out, "%s%s", u->identities.v[n].host,
			    file.data + slice_find_last(file, '/'));
		}
		return;
	}
	buf_add_byte(out, '-');
}

TEST(signd_services)
{
	static const struct setting set[] = {
		{ "smtpd_tls_chain_files", "%F/a.pem" },
		{ "here", "%F/b.pem" },
	};
	static const struct { const char *name, *own; } services[] = {
		{ "smtp", "-" },
		{ "submission", "-" },		/* no files among its options */
		{ "same", "-" },		/* as main.cf */
		{ "submissions", "smtpd:/b.pem" },
		{ "name", "smtpd:/b.pem" },
		{ "none", "smtpd:" },
		{ "pair", "smtpd:/b.pem" },
		{ "sni", "smtpd:/a.pemx.example/b.pem" },
		{ "imaps", "imapd:/b.pem" },
		{ "other", "-" },		/* another daemon's parameter */
	};
	struct world	w = { .changed = 0 };

	make_folder(&w);
	write_identity(&w, "a.pem", "P-256", "DNS:a.example", 864000, 0600);
	write_identity(&w, "b.pem", "P-256", "DNS:b.example", 864000, 0600);
	write_file(&w, "master.cf",
	    "smtp inet n - - - - smtpd\n"
	    "submission inet n - - - - smtpd -o syslog_name=x/y\n"
	    "same inet n - - - - smtpd -o smtpd_tls_chain_files=%F/a.pem\n"
	    "submissions inet n - - - - smtpd\n"
	    "  -o smtpd_tls_chain_files=%F/b.pem\n"
	    "name inet n - - - - smtpd -o smtpd_tls_chain_files=$here\n"
	    "none inet n - - - - smtpd -o smtpd_tls_chain_files=\n"
	    "pair inet n - - - - smtpd -o smtpd_tls_chain_files=\n"
	    "  -o smtpd_tls_cert_file=%F/b.pem\n"
	    "sni inet n - - - - smtpd\n"
	    "  -o { tls_server_sni_maps = inline:{ x.example=%F/b.pem } }\n"
	    "imaps inet n - - - - imapd -o imapd_tls_chain_files=%F/b.pem\n"
	    "other unix - - - - - smtp -o smtpd_tls_chain_files=%F/b.pem\n");
	begin(&w, 1, set, COUNT(set));
	for (size_t i = 0; i < COUNT(services); i++) {
		struct buf own = BUF_INIT;

		files_of(&w, services[i].name, &own);
		CHECK_TEXT(buf_slice(&own), services[i].own, i);
		buf_free(&own);
	}
	CHECK_INT(seen.unusable, 0, 0);
	end(&w);
}

/* --- callers */

static int
serve(struct task *t, void *arg)
{
	return daemon_serve(t, arg);
}

static int
hear(struct task *t, struct ipc_conn *c, struct ipc_in *in, struct arena *a,
    void *arg)
{
	(void)t;
	(void)c;
	(void)a;
	CHECK_INT(in->desc->number, MSG_sign_changed, 0);
	((struct world *)arg)->changed++;
	return 0;
}

struct hearing {
	struct world	*w;
	struct ipc_conn	*c;
};

static int
hear_task(struct task *t, void *arg)
{
	struct hearing	*h = arg;
	int		 r = ipc_serve(t, h->c, hear, h->w);

	ipc_close(h->c);
	return r == -ECANCELED ? r : 0;
}

static void
call_in(struct world *w, struct hearing *h, struct ipc_conn *c,
    const char *daemon, const char *service)
{
	struct daemon_caller	who = { slice_of(daemon), slice_of(service), 1,
				    0 };
	int			fds[2];

	CHECK_INT(fd_pair(fds), 0, 0);
	*h = (struct hearing){ w, c };
	daemon_add_caller(w->daemon, &fds[0], &who);
	ipc_open(c, w->loop, &fds[1], &ipc_table_sign, IPC_CALLER);
	task_group_start(&w->group, hear_task, h);
}

/* certs - how many certificates a caller gets of a daemon */
static size_t
certs(struct task *t, struct world *w, struct ipc_conn *c, const char *daemon)
{
	struct msg_sign_certs	m = { slice_of(daemon) };
	struct msg_sign_chains	*chains;
	void			*reply;

	if (CHECK_INT(ipc_call(t, c, &msg_sign_certs_desc, &m,
	    &msg_sign_chains_desc, &w->arena, &reply), 0, 0) < 0)
		return 0;
	chains = reply;
	CHECK((chains->certs.n == 0) == (chains->text.len > 0), 0);
	return chains->certs.n;
}

static struct slice
tickets(struct task *t, struct world *w, struct ipc_conn *c,
    const char *daemon)
{
	struct msg_sign_ticket_keys	 m = { slice_of(daemon) };
	void				*reply;

	if (CHECK_INT(ipc_call(t, c, &msg_sign_ticket_keys_desc, &m,
	    &msg_sign_tickets_desc, &w->arena, &reply), 0, 0) < 0)
		return SLICE_EMPTY;
	return ((struct msg_sign_tickets *)reply)->keys;
}

/* sign - how long a signature a caller gets */
static size_t
sign(struct task *t, struct world *w, struct ipc_conn *c,
    enum signd_user_number whose, uint32_t scheme, struct slice tbs)
{
	struct signd_identity		*i = &w->signd->users[whose].identities.v[0];
	struct msg_sign_tls	 m = { slice_over(i->id.bytes,
				     TLS_KEY_ID_SIZE), scheme, tbs };
	void			*reply;

	if (CHECK_INT(ipc_call(t, c, &msg_sign_tls_desc, &m,
	    &msg_sign_signature_desc, &w->arena, &reply), 0, 0) < 0)
		return 0;
	return ((struct msg_sign_signature *)reply)->signature.len;
}

static int
callers_task(struct task *t, void *arg)
{
	struct world	*w = arg;
	struct hearing	 h[3];
	struct slice	 first, second, other;
	char		 tbs[64 + 34 + 32];

	memset(tbs, ' ', 64);
	memcpy(tbs + 64, "TLS 1.3, server CertificateVerify", 34);
	memset(tbs + 98, 'h', 32);
	task_group_begin(t, &w->group);
	task_group_start(&w->group, serve, w->daemon);
	CHECK_INT(task_sleep(t, 1), 0, 0);
	call_in(w, &h[0], &w->smtpd, "smtpd", "smtp");
	call_in(w, &h[1], &w->imapd, "imapd", "imap");
	call_in(w, &h[2], &w->smtp, "smtp", "smtp");
	CHECK_INT(certs(t, w, &w->smtpd, "smtpd"), 1, 0);
	CHECK_INT(certs(t, w, &w->imapd, "imapd"), 1, 0);
	CHECK_INT(w->changed, 3, 0);
	CHECK_INT(seen.refused, 0, 0);
	CHECK_INT(certs(t, w, &w->smtpd, "imapd"), 0, 0);
	CHECK_INT(certs(t, w, &w->smtp, "smtp"), 0, 0);
	CHECK_INT(seen.refused, 2, 0);

	CHECK(sign(t, w, &w->smtpd, SIGND_USER_smtpd,
	    TLS_SCHEME_ECDSA_SHA256, slice_over(tbs, sizeof(tbs))) > 60, 0);
	CHECK_INT(seen.refused, 2, 1);
	/* another's key, another scheme, another text */
	CHECK_INT(sign(t, w, &w->smtpd, SIGND_USER_imapd,
	    TLS_SCHEME_ECDSA_SHA256, slice_over(tbs, sizeof(tbs))), 0, 1);
	CHECK_INT(sign(t, w, &w->smtp, SIGND_USER_smtpd,
	    TLS_SCHEME_ECDSA_SHA256, slice_over(tbs, sizeof(tbs))), 0, 2);
	CHECK_INT(sign(t, w, &w->smtpd, SIGND_USER_smtpd, 0x0804,
	    slice_over(tbs, sizeof(tbs))), 0, 3);
	CHECK_INT(sign(t, w, &w->smtpd, SIGND_USER_smtpd,
	    TLS_SCHEME_ECDSA_SHA256, slice_over(tbs, 90)), 0, 4);
	CHECK_INT(sign(t, w, &w->smtpd, SIGND_USER_smtpd,
	    TLS_SCHEME_ECDSA_SHA256, S("")), 0, 5);
	CHECK_INT(seen.refused, 7, 6);

	first = tickets(t, w, &w->smtpd, "smtpd");
	other = tickets(t, w, &w->imapd, "imapd");
	CHECK_INT(first.len, 80, 0);
	CHECK(!slice_equal(first, other), 0);
	CHECK_SLICE(tickets(t, w, &w->smtpd, "smtpd"), first, 0);
	CHECK_INT(tickets(t, w, &w->smtpd, "imapd").len, 0, 0);
	CHECK_INT(task_sleep(t, 3600001), 0, 0);
	CHECK_INT(w->changed, 6, 1);
	second = tickets(t, w, &w->smtpd, "smtpd");
	CHECK_INT(second.len, 160, 0);
	CHECK_SLICE(slice_from(second, 80), first, 0);
	CHECK_INT(task_sleep(t, 3 * 3600000), 0, 0);
	CHECK_INT(tickets(t, w, &w->smtpd, "smtpd").len, 240, 0);
	ipc_close(&w->smtpd);
	ipc_close(&w->imapd);
	ipc_close(&w->smtp);
	daemon_end(w->daemon);
	return task_group_end(t, &w->group);
}

/* services_task - a service gets what is its own, and nobody else does */
static int
services_task(struct task *t, void *arg)
{
	struct world	*w = arg;
	struct hearing	 h[2];
	char		 tbs[64 + 34 + 32];
	struct slice	 text = slice_over(tbs, sizeof(tbs)), first;

	memset(tbs, ' ', 64);
	memcpy(tbs + 64, "TLS 1.3, server CertificateVerify", 34);
	memset(tbs + 98, 'h', 32);
	task_group_begin(t, &w->group);
	task_group_start(&w->group, serve, w->daemon);
	CHECK_INT(task_sleep(t, 1), 0, 0);
	call_in(w, &h[0], &w->smtpd, "smtpd", "submissions");
	call_in(w, &h[1], &w->imapd, "smtpd", "smtp");
	CHECK_INT(certs(t, w, &w->smtpd, "smtpd"), 2, 0);
	CHECK_INT(certs(t, w, &w->imapd, "smtpd"), 1, 0);
	CHECK(sign(t, w, &w->imapd, SIGND_USER_smtpd, TLS_SCHEME_ECDSA_SHA256,
	    text) > 60, 0);
	CHECK_INT(seen.refused, 0, 0);
	CHECK_INT(sign(t, w, &w->smtpd, SIGND_USER_smtpd,
	    TLS_SCHEME_ECDSA_SHA256, text), 0, 0);
	CHECK_INT(seen.refused, 1, 0);
	first = tickets(t, w, &w->smtpd, "smtpd");
	CHECK_INT(first.len, 80, 0);
	CHECK(!slice_equal(first, tickets(t, w, &w->imapd, "smtpd")), 0);
	CHECK_INT(task_sleep(t, 3600001), 0, 0);
	CHECK_INT(tickets(t, w, &w->smtpd, "smtpd").len, 160, 0);
	ipc_close(&w->smtpd);
	ipc_close(&w->imapd);
	daemon_end(w->daemon);
	return task_group_end(t, &w->group);
}

TEST(signd_callers_of_services)
{
	static const struct setting set[] = {
		{ "smtpd_tls_chain_files", "%F/a.pem" },
	};
	struct world	w = { .changed = 0 };

	make_folder(&w);
	write_identity(&w, "a.pem", "P-256", "DNS:a.example", 864000, 0600);
	write_identity(&w, "b.pem", "P-256", "DNS:b.example", 864000, 0600);
	write_identity(&w, "c.pem", "P-256", "DNS:c.example", 864000, 0600);
	write_file(&w, "master.cf", "submissions inet n - - - - smtpd\n"
	    " -o { smtpd_tls_chain_files = %F/b.pem, %F/c.pem }\n");
	begin(&w, 1, set, COUNT(set));
	CHECK_INT(loop_run(w.loop, services_task, &w), 0, 0);
	end(&w);
}

static const struct setting two[] = {
	{ "smtpd_tls_chain_files", "%F/a.pem" },
	{ "imapd_tls_chain_files", "%F/b.pem" },
};

TEST(signd_callers)
{
	struct world	w = { .changed = 0 };

	make_folder(&w);
	write_identity(&w, "a.pem", "P-256", "DNS:a.example", 864000, 0600);
	write_identity(&w, "b.pem", "P-256", "DNS:b.example", 864000, 0600);
	begin(&w, 1, two, COUNT(two));
	CHECK_INT(loop_run(w.loop, callers_task, &w), 0, 0);
	end(&w);
}

/* --- a handshake, as smtpd makes it */

struct handshake {
	struct world		*w;
	struct daemon		*front;
	struct tls_server	 server;
	struct tls_context	*client;
	int			 fds[2];
	int			 server_result;
};

static int
connect_signd(struct task *t, void *arg, const char *callee, int *ret_fd)
{
	struct handshake	*h = arg;
	struct daemon_caller	 who = { S("smtpd"), S("smtpd"), 9, 0 };
	int			 fds[2], r;

	(void)t;
	CHECK(strcmp(callee, "signd") == 0, 0);
	if ((r = fd_pair(fds)) < 0)
		return r;
	daemon_add_caller(h->w->daemon, &fds[0], &who);
	*ret_fd = fds[1];
	return 0;
}

static int
front_client(struct task *t, struct daemon *d, int *fd_take,
    const struct sockaddr_storage *peer, const char *listener)
{
	struct handshake	*h = daemon_data(d);
	struct tls_params	 p = { .role = TLS_SERVER };
	struct tls_context	*ctx = NULL;
	struct diag		 diag = DIAG_INIT;
	struct stream		 s;
	int			 r;

	(void)peer;
	(void)listener;
	r = tls_server_context(t, &h->server, d, "smtpd", &p, &ctx, &diag);
	if (CHECK_INT(r, 0, 0) < 0) {
		printf("# %s\n", diag.text);
		return r;
	}
	stream_open(&s, daemon_loop(d), fd_take);
	h->server_result = stream_start_tls(t, &s, ctx, NULL);
	stream_close(&s);
	return 0;
}

static const struct daemon_spec front_spec = {
	.name = "smtpd",
	.client = front_client,
};

static int
front_task(struct task *t, void *arg)
{
	return daemon_serve(t, arg);
}

static int
handshake_task(struct task *t, void *arg)
{
	struct handshake	*h = arg;
	struct tls_peer		 peer = { .level = TLS_LEVEL_MAY };
	struct sockaddr_storage	 from = { .ss_family = AF_UNIX };
	struct task_group	 g;
	struct deadline		 limit;
	struct stream		 s;

	task_group_begin(t, &g);
	task_group_start(&g, front_task, h->w->daemon);
	task_group_start(&g, front_task, h->front);
	CHECK_INT(task_yield(t), 0, 0);
	for (int i = 0; i < 3; i++) {
		CHECK_INT(fd_pair(h->fds), 0, i);
		h->server_result = -1;
		daemon_add_client(h->front, &h->fds[0], &from, "test");
		stream_open(&s, task_loop(t), &h->fds[1]);
		deadline_begin(t, &limit, 10000);
		CHECK_INT(stream_start_tls(t, &s, h->client, &peer), 0, i);
		CHECK_INT(task_sleep(t, 50), 0, i);
		CHECK_INT(deadline_end(t, &limit, 0), 0, i);
		CHECK_INT(h->server_result, 0, i);
		stream_close(&s);
	}
	daemon_end(h->front);
	daemon_end(h->w->daemon);
	return task_group_end(t, &g);
}

TEST(signd_handshake)
{
	struct world		w = { .changed = 0 };
	struct handshake	h = { .w = &w };
	struct tls_params	p = { .role = TLS_CLIENT };
	struct conf		*conf = conf_new(NULL);
	struct diag		diag = DIAG_INIT;

	make_folder(&w);
	write_identity(&w, "a.pem", "RSA", "DNS:a.example", 864000, 0600);
	write_identity(&w, "b.pem", "P-256", "DNS:b.example", 864000, 0600);
	begin(&w, 0, two, COUNT(two));
	CHECK_INT(tls_context_new(&p, &h.client, &diag), 0, 0);
	h.front = daemon_new(w.loop, &front_spec, conf, connect_signd, &h,
	    &diag);
	daemon_set_data(h.front, &h);
	CHECK_INT(loop_run(w.loop, handshake_task, &h), 0, 0);
	CHECK_INT(seen.refused, 0, 0);
	tls_context_free(&h.client);
	tls_context_free(&h.server.ctx);
	tls_context_free(&h.server.old);
	daemon_free(&h.front);
	end(&w);
	conf_free(&conf);
}
