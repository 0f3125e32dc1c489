/* SPDX-License-Identifier: ISC */
/*
 * What is read before the sandbox, and the decision whether to validate. A
 * name server that strips signatures would make every signed domain bogus, so
 * auto asks for the root's keys first: if they come with signatures that the
 * trust anchor proves, the servers can be used for validation.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unbound.h>
#include <unistd.h>

#include "dnsd/dnsd.h"
#include "libutil/alloc.h"
#include "libutil/diag.h"

#define RESOLV_CONF	"/etc/resolv.conf"
#define FILE_MAX	((size_t)8 << 20)
#define TYPE_DNSKEY	48
#define PROBE_LIMIT	5000	/* ms */
#define PROBE_PAUSE	600000	/* ms between probes that fail */

enum validation { VALIDATION_AUTO, VALIDATION_ALWAYS, VALIDATION_NEVER };

/* read_file - a whole file; -EFBIG */
static int
read_file(const char *name, struct buf *out)
{
	char	*room;
	ssize_t	 n = 1;
	int	 r = 0, fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	while (r == 0 && n > 0) {
		if (out->len > FILE_MAX || (room = buf_room(out, 4096)) == NULL)
			r = -EFBIG;
		else if ((n = read(fd, room, 4096)) < 0)
			r = -errno;
		else
			buf_grown(out, (size_t)n);
	}
	close(fd);
	return r;
}

/* complain - a file that cannot be read */
static void
complain(struct dnsd *s, const char *file, int r)
{
	log_event(daemon_log(s->daemon), EV_DNSD_FILE, KV_TEXT("file", file),
	    KV_ERR("why", r));
}

struct bad_line {
	struct dnsd	*dnsd;
	const char	*file;
};

/* bad_line - of the hosts file */
static void
bad_line(void *arg, uint32_t line)
{
	struct bad_line *b = arg;

	log_event(daemon_log(b->dnsd->daemon), EV_DNSD_HOSTS_LINE,
	    KV_TEXT("file", b->file), KV_UINT("line", line));
}

/* read_hosts - names that are not asked for */
static void
read_hosts(struct dnsd *s, const struct dnsd_params *p)
{
	struct buf	text = BUF_INIT;
	struct bad_line	bad = { s, p->dns_hosts_file.data };
	int		r;

	if (p->dns_hosts_file.len == 0)
		return;
	r = read_file(p->dns_hosts_file.data, &text);
	if (r == 0)
		hosts_read(&s->hosts, buf_slice(&text), bad_line, &bad);
	else if (r != -ENOENT)
		complain(s, p->dns_hosts_file.data, r);
	buf_free(&text);
}

/* read_servers - of the parameter, or of the host */
static int
read_servers(struct dnsd *s, const struct dnsd_params *p, struct diag *diag)
{
	struct buf	text = BUF_INIT;
	int		r;

	s->own_servers = p->dns_resolver.count > 0;
	for (size_t i = 0; i < p->dns_resolver.count; i++)
		if (servers_add(&s->servers, p->dns_resolver.item[i]) < 0)
			return diag_set(diag, 0, 0, "dns_resolver: \"%.*s\" is "
			    "no address with an optional :port",
			    SLICE_ARG(p->dns_resolver.item[i]));
	if (s->own_servers)
		return 0;
	r = read_file(RESOLV_CONF, &text);
	if (r == 0)
		servers_read(&s->servers, buf_slice(&text));
	else if (r != -ENOENT)
		complain(s, RESOLV_CONF, r);
	buf_free(&text);
	return 0;
}

/* read_anchor - if there is to be one */
static int
read_anchor(struct dnsd *s, const struct dnsd_params *p, struct diag *diag)
{
	const char	*file = p->dns_trust_anchor_file.data;
	int		 r = -ENOENT;

	if (p->dns_validation == VALIDATION_NEVER)
		return 0;
	if (p->dns_trust_anchor_file.len > 0)
		r = read_file(file, &s->anchor);
	if (r == 0)
		return 0;
	buf_free(&s->anchor);
	if (p->dns_validation == VALIDATION_ALWAYS)
		return diag_set(diag, 0, 0, "dns_validation = always, and the "
		    "trust anchor %s cannot be read: %s", file, strerror(-r));
	if (r != -ENOENT)
		complain(s, file, r);
	return 0;
}

/* say_servers - whom we ask, for the log */
static void
say_servers(struct dnsd *s)
{
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < s->servers.count; i++)
		buf_addf(&text, "%s%s", i == 0 ? "" : ", ",
		    s->servers.v[i].text);
	if (s->servers.count == 0)
		buf_add_text(&text, "none; the root servers are asked");
	log_event(daemon_log(s->daemon), EV_DNSD_SERVERS,
	    KV_STR("servers", buf_slice(&text)));
	buf_free(&text);
}

/* open_all - what files say, and the resolvers */
static int
open_all(struct dnsd *s, struct diag *diag)
{
	const struct dnsd_params	*p = daemon_params(s->daemon);
	int				 r;

	read_hosts(s, p);
	if ((r = read_servers(s, p, diag)) < 0 ||
	    (r = read_anchor(s, p, diag)) < 0)
		return r;
	say_servers(s);
	if (p->dns_validation != VALIDATION_ALWAYS &&
	    (r = resolver_open(&s->plain, s, false, diag)) < 0)
		return r;
	if (s->anchor.len > 0 &&
	    (r = resolver_open(&s->validating, s, true, diag)) < 0)
		return r;
	s->validates = p->dns_validation == VALIDATION_ALWAYS;
	s->probed = s->validates || s->anchor.len == 0;
	return 0;
}

/* dnsd_new - that has read nothing yet */
struct dnsd *
dnsd_new(struct daemon *d)
{
	struct dnsd *s = NEW(struct dnsd);

	s->daemon = d;
	s->plain.io = s->validating.io = (struct io)IO_INIT;
	return s;
}

/* dnsd_free - its tasks have ended */
void
dnsd_free(struct dnsd **s_take)
{
	struct dnsd *s = *s_take;

	*s_take = NULL;
	if (s == NULL)
		return;
	resolver_close(&s->plain);
	resolver_close(&s->validating);
	hosts_free(&s->hosts);
	buf_free(&s->anchor);
	free(s);
}

/* dnsd_prepare - read all files */
int
dnsd_prepare(struct daemon *d, struct diag *diag)
{
	struct dnsd	*s = dnsd_new(d);
	int		 r = open_all(s, diag);

	if (r < 0)
		dnsd_free(&s);
	else
		daemon_set_data(d, s);
	return r;
}

/* probe - can the root's keys be proved? */
static int
probe(struct task *t, struct dnsd *s, const char **ret_why)
{
	struct ub_result	*result = NULL;
	int			 r;

	*ret_why = NULL;
	r = resolver_ask(t, &s->validating, ".", TYPE_DNSKEY, PROBE_LIMIT,
	    &result, ret_why);
	if (r < 0) {
		*ret_why = r == -EIO ? *ret_why : "no answer";
		return r;
	}
	r = result->secure ? 0 : -ENOKEY;
	if (r < 0)
		*ret_why = "the name servers do not pass the root's signatures "
		    "on";
	ub_resolve_free(result);
	return r;
}

/* dnsd_run - decide whether to validate, from time to time */
int
dnsd_run(struct task *t, struct daemon *d)
{
	struct dnsd		*s = daemon_data(d);
	struct task_group	 g;
	struct signal		 never = SIGNAL_INIT;
	const char		*why;
	int			 r = 0, end;

	task_group_begin(t, &g);
	s->tasks = &g;
	while (r == 0 && !s->validates && s->anchor.len > 0) {
		r = probe(t, s, &why);
		if (r == -ECANCELED)
			break;
		s->validates = r == 0;
		if (s->validates)
			log_event(daemon_log(d), EV_DNSD_VALIDATES);
		else if (!s->probed)
			log_event(daemon_log(d), EV_DNSD_NO_VALIDATION,
			    KV_TEXT("why", why));
		s->probed = true;
		r = s->validates ? 0 : task_sleep(t, PROBE_PAUSE);
	}
	if (r == 0)
		r = signal_wait(t, &never);
	task_group_cancel(&g);
	end = task_group_end(t, &g);
	return r < 0 ? r : end;
}
