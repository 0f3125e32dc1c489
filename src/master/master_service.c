/* SPDX-License-Identifier: ISC */
/*
 * Services from the rows of master.cf, and those that exist without a row.
 * When a new configuration comes into force a service of the same name and
 * type inherits the sockets and processes of the old one.
 */
#include <stdlib.h>

#include "libtask/loop.h"
#include "libutil/alloc.h"
#include "libglobal/ipc_control.h"
#include "libutil/conf.h"
#include "master/master.h"
#include "master/master_events.h"

/* service_free - release a service that has no processes */
void
service_free(struct service *s)
{
	struct list *link;

	while ((link = list_take_head(&s->listeners)) != NULL) {
		struct listener_fd *l =
		    CONTAINER_OF(link, struct listener_fd, link);

		fd_close(&l->fd);
		free(l->address);
		free(l);
	}
	processes_free(&s->processes);
	fd_close(&s->conf_fd);
	free(s->name);
	free(s->syslog_name);
	free(s);
}

static struct service *
service_new(struct slice name, enum mastercf_type type,
    const struct daemon_row *daemon)
{
	struct service *s = NEW(struct service);

	list_init(&s->link);
	list_init(&s->listeners);
	list_init(&s->processes);
	s->name = slice_dup(name);
	s->type = type;
	s->daemon = daemon;
	s->program = daemon->name;
	s->conf_fd = -1;
	s->limit = 1;
	return s;
}

/* settle - what the service's own configuration says */
static int
settle(struct service *s, const struct conf *conf)
{
	struct buf	b = BUF_INIT;
	int		r;

	ignore(conf_get(conf, S("syslog_name"), &b, NULL)); /* has a default */
	s->syslog_name = slice_dup(buf_slice(&b));
	buf_free(&b);
	r = master_sealed_conf(conf, &s->conf_fd);
	return r;
}

/* commands that are a daemon which speaks another protocol */
static const struct variant {
	const char	*command;
	bool		 serves;	/* only in rows that clients connect to */
	const char	*daemon;
	const char	*param;
	const char	*value;
} variants[] = {
	{ "lmtp", false, "smtp", "smtp_protocol", "lmtp" },
	{ "lmtpd", true, "smtpd", "smtpd_protocol", "lmtp" },
};

static const struct variant *
variant_find(const struct mastercf_service *row)
{
	bool serves = row->type == MASTERCF_INET ||
	    row->is_private == MASTERCF_NO;

	for (size_t i = 0; i < COUNT(variants); i++)
		if (slice_equal(row->command, slice_of(variants[i].command)) &&
		    (serves || !variants[i].serves))
			return &variants[i];
	return NULL;
}

/* of_row - the service that a row of master.cf runs */
static int
of_row(const struct mastercf_service *row, const struct daemon_row *daemon,
    const struct conf *conf, struct service **ret_service)
{
	const struct variant	*v = variant_find(row);
	struct conf		*top = conf_new(conf);
	struct service		*s;
	int			 r;

	if (v != NULL)
		daemon = daemons_find(slice_of(v->daemon));
	s = service_new(row->name, row->type, daemon);
	if (v != NULL) {
		s->program = v->command;
		s->is_public = v->serves && row->type != MASTERCF_INET;
		conf_put(top, slice_of(v->param), slice_of(v->value),
		    "master.cf", row->line);
	}
	for (size_t i = 0; i < row->override_count; i++)
		conf_put(top, row->override[i].name, row->override[i].value,
		    "master.cf", row->override[i].line);
	s->verbose = row->verbose > 0;
	if (!daemon->single)
		s->limit = row->maxproc == 0 ? UINT32_MAX : row->maxproc;
	s->limit_default = row->maxproc_default;
	r = settle(s, top);
	conf_free(&top);
	if (r < 0)
		service_free(s);
	else
		*ret_service = s;
	return r;
}

static bool
has_service(struct list *services, const char *name)
{
	LIST_EACH(services, link) {
		struct service *s = CONTAINER_OF(link, struct service, link);

		if (s->type != MASTERCF_INET && strcmp(s->name, name) == 0)
			return true;
	}
	return false;
}

static bool
has_daemon(struct list *services, const struct daemon_row *daemon)
{
	LIST_EACH(services, link)
		if (CONTAINER_OF(link, struct service, link)->daemon == daemon)
			return true;
	return false;
}

/* add_internal - services that exist without a row */
static int
add_internal(struct list *services, const struct conf *conf)
{
	int r;

	for (const struct daemon_row *d = daemons_table; d->name != NULL; d++) {
		struct service *s;

		if (d->service[0] == '\0' || has_service(services, d->service) ||
		    (d->single && has_daemon(services, d)))
			continue;
		s = service_new(slice_of(d->service), MASTERCF_UNIX, d);
		if (!d->single)
			s->limit = UINT32_MAX;
		if ((r = settle(s, conf)) < 0) {
			service_free(s);
			return r;
		}
		list_add_tail(services, &s->link);
	}
	return 0;
}

/* services_build - all services of a configuration, listening */
int
services_build(struct master *m, const struct mastercf *cf,
    const struct conf *conf, struct list *ret_services, struct diag *diag)
{
	int r;

	for (size_t i = 0; i < cf->count; i++) {
		const struct mastercf_service *row = &cf->service[i];
		const struct mastercf_command *c =
		    mastercf_command_find(row->command);
		struct service *s;

		if (c == NULL)
			return diag_set(diag, row->line, 0, "service %.*s: no "
			    "daemon is called %.*s; see barid check",
			    SLICE_ARG(row->name), SLICE_ARG(row->command));
		if (c->how != MASTERCF_RUN ||
		    daemons_find(slice_of(c->daemon)) == NULL) {
			log_event(&m->log, EV_MASTER_ABSORBED, KV_STR("service",
			    row->name), KV_TEXT("sentence", c->sentence));
			continue;
		}
		r = of_row(row, daemons_find(slice_of(c->daemon)), conf, &s);
		if (r < 0)
			return r;
		list_add_tail(ret_services, &s->link);
	}
	if ((r = add_internal(ret_services, conf)) < 0)
		return r;
	LIST_EACH(ret_services, link)
		if ((r = service_listen(m, CONTAINER_OF(link, struct service,
		    link), conf, diag)) < 0)
			return r;
	return 0;
}

/* service_find - by name; a unix row and an inet row may share it */
struct service *
service_find(struct master *m, struct slice name, bool inet)
{
	LIST_EACH(&m->services, link) {
		struct service *s = CONTAINER_OF(link, struct service, link);

		if ((s->type == MASTERCF_INET) == inet &&
		    slice_equal(slice_of(s->name), name))
			return s;
	}
	return NULL;
}

/* inherit - the new service takes over what the old one had */
static void
inherit(struct service *new, struct service *old)
{
	new->pause = old->pause;
	new->not_before = old->not_before;
	LIST_EACH_SAFE(&old->processes, link) {
		struct process *p = CONTAINER_OF(link, struct process, link);

		list_remove(&p->link);
		p->service = new;
		list_add_tail(&new->processes, &p->link);
	}
}

/* tell - hand a process the new configuration */
static void
tell(struct master *m, struct process *p)
{
	struct msg_reload r = { m->generation, p->service->conf_fd };

	if (p->draining)
		return;
	if (!p->daemon->reloads) {
		/* its clients stay with it, new ones come to a new process;
		 * also those that lose it at once ask for one anew */
		process_drain(p, (uint32_t)m->params.master_drain_limit);
		return;
	}
	p->generation = m->generation;
	ignore(ipc_post(&p->control, &msg_reload_desc, &r)); /* else it ended */
}

/* services_swap - put new services into force */
void
services_swap(struct master *m, struct list *services)
{
	struct list	old;
	struct list	*link;

	list_init(&old);
	while ((link = list_take_head(&m->services)) != NULL)
		list_add_tail(&old, link);
	while ((link = list_take_head(services)) != NULL)
		list_add_tail(&m->services, link);
	while ((link = list_take_head(&old)) != NULL) {
		struct service *s = CONTAINER_OF(link, struct service, link);
		struct service *new = service_find(m, slice_of(s->name),
		    s->type == MASTERCF_INET);

		if (new != NULL && new->daemon == s->daemon)
			inherit(new, s);
		LIST_EACH_SAFE(&s->processes, plink) {
			struct process *p =
			    CONTAINER_OF(plink, struct process, link);

			list_remove(&p->link);
			p->service = NULL;
			list_add_tail(&m->leaving, &p->link);
			process_drain(p,
			    (uint32_t)m->params.master_drain_limit);
		}
		service_free(s);
	}
	LIST_EACH(&m->services, slink)
		LIST_EACH_SAFE(&CONTAINER_OF(slink, struct service,
		    link)->processes, plink)
			tell(m, CONTAINER_OF(plink, struct process, link));
}

/* services_missing - say which services are not ready; nothing if all are */
void
services_missing(struct master *m, struct buf *out)
{
	LIST_EACH(&m->services, link) {
		struct service *s = CONTAINER_OF(link, struct service, link);
		bool ready = !s->daemon->always;

		LIST_EACH(&s->processes, plink)
			ready |= CONTAINER_OF(plink, struct process,
			    link)->ready;
		if (!ready)
			buf_addf(out, "%s%s (%s) is not ready",
			    out->len > 0 ? "; " : "", s->name, s->daemon->name);
	}
}
