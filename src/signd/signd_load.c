/* SPDX-License-Identifier: ISC */
/*
 * The files that parameters name, read with the rights of the start. A file
 * that cannot be used is reported; what else there is serves. A service of
 * master.cf whose overrides name other files than main.cf is a user of its
 * own; all others of the daemon share what main.cf names.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libglobal/mastercf.h"
#include "libglobal/suite_conf.h"
#include "libutil/alloc.h"
#include "libutil/calendar.h"
#include "libutil/conf.h"
#include "libutil/conf_lines.h"
#include "signd/signd.h"

#define HOST_MAX	255
#define DAY		86400

/* the parameters of one daemon */
struct names {
	struct param_list	chain;
	struct slice		cert, key;
	struct slice		eccert, eckey;
};

struct loading {
	struct signd		*signd;
	struct signd_user	*user;		/* NULL: none, or all of these */
	struct signd_user	*users;
	size_t			 user_count;
	const struct event	*event;		/* for what is wrong */
	const char		*host;
};

/* unusable - say it, and keep the first reason for the daemon */
static void
unusable(struct loading *l, const char *why)
{
	if (l->user != NULL && l->user->why[0] == '\0')
		(void)snprintf(l->user->why, sizeof(l->user->why), "%s", why);
	log_event(daemon_log(l->signd->daemon), l->event,
	    KV_TEXT("daemon", l->user == NULL ? NULL : l->user->daemon),
	    KV_OPT("service", slice_of(l->user == NULL ||
	    l->user->service == NULL ? "" : l->user->service)),
	    KV_TEXT("why", why));
}

/* read_file - append a file to the text */
static int
read_file(struct loading *l, const char *name, struct buf *out)
{
	struct diag	why = DIAG_INIT;
	struct stat	st = { .st_mode = 0 };
	size_t		begin = out->len;
	char		*room;
	ssize_t		n = 1;
	int		r = 0, fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 || fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = -EINVAL;
	while (r == 0 && n > 0) {
		if ((room = buf_room(out, 4096)) == NULL) {
			r = -EFBIG;
			break;
		}
		if ((n = read(fd, room, 4096)) > 0)
			buf_grown(out, (size_t)n);
		else if (n < 0)
			r = -errno;
	}
	if (fd >= 0)
		close(fd);
	if (r < 0) {
		(void)diag_set(&why, 0, 0, "cannot read %s: %s", name,
		    r == -EINVAL ? "it is no file" : strerror(-r));
		unusable(l, why.text);
		return r;
	}
	if ((st.st_mode & S_IROTH) != 0 && identities_has_key(
	    slice_from(buf_slice(out), begin)))
		log_event(daemon_log(l->signd->daemon), EV_SIGND_OPEN_KEY,
		    KV_TEXT("file", name));
	return 0;
}

/* wipe - forget a text with keys in it */
static void
wipe(struct buf *b)
{
	if (b->cap > 0)
		explicit_bzero(b->data, b->cap);
	buf_free(b);
}

/* load_chain - the files of a list, as one text */
static void
load_chain(struct loading *l, const struct slice *files, size_t count)
{
	struct buf	text = BUF_INIT_MAX(SIGND_FILE_MAX), name = BUF_INIT;
	struct diag	why = DIAG_INIT;
	int		r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		char *file = slice_dup(files[i]);

		buf_addf(&name, "%s%s", i == 0 ? "" : " ", file);
		r = read_file(l, file, &text);
		buf_add_byte(&text, '\n');	/* a file may lack its last */
		free(file);
	}
	if (r == 0 && identities_add_chain(&l->user->identities, l->host,
	    buf_cstr(&name), buf_slice(&text), &why) < 0)
		unusable(l, why.text);
	wipe(&text);
	buf_free(&name);
}

/* load_pair - a certificate file and a key file */
static void
load_pair(struct loading *l, struct slice cert, struct slice key)
{
	struct buf	certs = BUF_INIT_MAX(SIGND_FILE_MAX),
			keys = BUF_INIT_MAX(SIGND_FILE_MAX);
	char		*cert_file = slice_dup(cert);
	char		*key_file = slice_dup(key);
	struct diag	why = DIAG_INIT;

	if (cert.len > 0 && !slice_equal(cert, S("none")) &&
	    read_file(l, cert_file, &certs) == 0 &&
	    read_file(l, key_file, &keys) == 0 &&
	    identities_add_pair(&l->user->identities, l->host, cert_file,
	    buf_slice(&certs), buf_slice(&keys), &why) < 0)
		unusable(l, why.text);
	free(cert_file);
	free(key_file);
	wipe(&certs);
	wipe(&keys);
}

/* --- server names */

#define FILES_MAX	8	/* of one name */

/* load_host - the files of one name, for every user that is meant */
static void
load_host(const struct loading *all, struct slice host, struct slice files)
{
	struct loading	l = *all;
	struct slice	file[FILES_MAX], word;
	size_t		n = 0;
	char		*name;

	while (n < FILES_MAX && slice_next_word(&files, ", \t\r\n", &word))
		file[n++] = word;
	if (n == 0 || host.len == 0 || host.len > HOST_MAX) {
		unusable(&l, "an entry is no host and its files");
		return;
	}
	name = slice_dup(host);
	l.host = name;
	for (size_t i = 0; i < all->user_count; i++) {
		l.user = &all->users[i];
		load_chain(&l, file, n);
	}
	free(name);
}

/* load_inline - {host = file ...}, ... */
static void
load_inline(struct loading *l, struct slice rest)
{
	struct slice	item, inside;
	size_t		equal;
	int		r;

	if (conf_list_group(slice_trim(rest), &inside))
		rest = inside;
	while ((r = conf_list_next(&rest, &item)) > 0) {
		if (conf_list_group(item, &inside))
			item = inside;
		equal = slice_find(item, '=');
		if (equal == SLICE_NONE) {
			unusable(l, "an entry without \"=\"");
			continue;
		}
		load_host(l, slice_trim(slice_sub(item, 0, equal)),
		    slice_from(item, equal + 1));
	}
	if (r < 0)
		unusable(l, "a brace without its partner");
}

/* load_texthash - a file of lines */
static void
load_texthash(struct loading *l, struct slice name)
{
	struct buf		text = BUF_INIT_MAX(SIGND_FILE_MAX);
	char			*file = slice_dup(name);
	struct conf_lines	lines;
	struct conf_piece	piece;

	if (read_file(l, file, &text) == 0) {
		lines = conf_lines_over(buf_slice(&text));
		while (conf_lines_next(&lines, &piece)) {
			struct buf	line = BUF_INIT;
			struct slice	rest, host;

			if (!piece.is_logical)
				continue;
			conf_join(&line, piece.raw);
			rest = buf_slice(&line);
			if (slice_next_word(&rest, " \t", &host))
				load_host(l, host, rest);
			buf_free(&line);
		}
	}
	buf_free(&text);
	free(file);
}

/* load_names - the table of server names, for these users */
static void
load_names(struct signd *s, struct signd_user *users, size_t count,
    struct slice maps)
{
	struct loading	l = { .signd = s, .users = users, .user_count = count,
			    .event = EV_SIGND_SNI };

	maps = slice_trim(maps);
	if (slice_has_prefix(maps, S("inline:")))
		load_inline(&l, slice_from(maps, 7));
	else if (slice_has_prefix(maps, S("texthash:")))
		load_texthash(&l, slice_from(maps, 9));
	else if (maps.len > 0)
		unusable(&l, "only inline: and texthash: can be read as a "
		    "whole; use one of them");
}

/* --- all */

/* names_of - the parameters of a daemon */
static struct names
names_of(enum signd_user_number n, const struct signd_params *p)
{
	switch (n) {
#define USER(d)	case SIGND_USER_##d: return (struct names){ \
	p->d##_tls_chain_files, p->d##_tls_cert_file, p->d##_tls_key_file, \
	p->d##_tls_eccert_file, p->d##_tls_eckey_file };
#include "signd/signd_users.def"
	case SIGND_USERS:
		break;
	}
	return (struct names){ .chain = { NULL, 0 } };
}

/* load_user - all certificates of one user but those of server names */
static void
load_user(struct signd *s, struct signd_user *user, const struct names *names)
{
	struct loading	l = { .signd = s, .user = user,
			    .event = EV_SIGND_UNUSABLE, .host = "" };

	if (names->chain.count > 0) {
		load_chain(&l, names->chain.item, names->chain.count);
	} else {
		load_pair(&l, names->cert, names->key);
		load_pair(&l, names->eccert, names->eckey);
	}
	if (user->identities.count == 0 && user->why[0] == '\0')
		(void)snprintf(user->why, sizeof(user->why),
		    "no certificate is configured: set %s_tls_chain_files",
		    user->daemon);
}

/* is_same - do both name the same files? */
static bool
is_same(const struct names *a, const struct names *b)
{
	if (a->chain.count != b->chain.count)
		return false;
	for (size_t i = 0; i < a->chain.count; i++)
		if (!slice_equal(a->chain.item[i], b->chain.item[i]))
			return false;
	return slice_equal(a->cert, b->cert) && slice_equal(a->key, b->key) &&
	    slice_equal(a->eccert, b->eccert) &&
	    slice_equal(a->eckey, b->eckey);
}

/* user_of - which daemon with certificates runs a row? SIGND_USERS: none */
static enum signd_user_number
user_of(const struct signd *s, const struct mastercf_service *row)
{
	const struct mastercf_command *c = mastercf_command_find(row->command);
	size_t i = 0;

	if (c == NULL || c->how != MASTERCF_RUN)
		return SIGND_USERS;
	while (i < SIGND_USERS && strcmp(s->users[i].daemon, c->daemon) != 0)
		i++;
	return (enum signd_user_number)i;
}

/* add_service - a user of its own */
static struct signd_user *
add_service(struct signd *s, enum signd_user_number n, struct slice name)
{
	struct signd_user *user;

	s->services = xreallocarray(s->services, s->service_count + 1,
	    sizeof(*s->services));
	user = &s->services[s->service_count++];
	*user = (struct signd_user){ .daemon = s->users[n].daemon,
	    .service = slice_dup(name) };
	return user;
}

/* load_service - one row, if its overrides name other files; its error text
 * must not end up in the frame of the caller, which has one as well */
__attribute__((noinline)) static void
load_service(struct signd *s, const struct mastercf_service *row,
    const struct signd_params *main)
{
	enum signd_user_number	 n = user_of(s, row);
	struct loading		 l = { .signd = s, .event = EV_SIGND_UNUSABLE };
	struct arena		 a = ARENA_INIT;
	struct signd_params	*p = ARENA_NEW(&a, struct signd_params);
	struct signd_user	*user;
	struct names		 own, all;
	struct diag		 why = DIAG_INIT;
	struct conf		*conf = NULL;

	if (n == SIGND_USERS)
		goto out;
	conf = conf_new(daemon_conf(s->daemon));
	for (size_t i = 0; i < row->override_count; i++)
		conf_put(conf, row->override[i].name, row->override[i].value,
		    "master.cf", row->override[i].line);
	if (param_load(&signd_param_table, conf, &a, p, &why) < 0) {
		l.user = add_service(s, n, row->name);
		unusable(&l, why.text);
		goto out;
	}
	own = names_of(n, p);
	all = names_of(n, main);
	if (is_same(&own, &all) &&
	    slice_equal(p->tls_server_sni_maps, main->tls_server_sni_maps))
		goto out;
	user = add_service(s, n, row->name);
	load_user(s, user, &own);
	load_names(s, user, 1, p->tls_server_sni_maps);
out:
	conf_free(&conf);
	arena_free(&a);
}

/* load_services - those with certificates of their own */
static void
load_services(struct signd *s, const struct signd_params *p)
{
	struct arena	 a = ARENA_INIT;
	struct buf	 folder = BUF_INIT;
	struct diag	 why = DIAG_INIT;
	struct mastercf	 cf = { .count = 0 };
	struct slice	 text;
	const char	*path;

	buf_add(&folder, p->config_directory);
	if (suite_conf_read_file(buf_cstr(&folder), "master.cf", &a, &text,
	    &path, &why) < 0 ||
	    mastercf_parse(text, path, &a, &why, &cf) < 0)
		log_event(daemon_log(s->daemon), EV_SIGND_SERVICES,
		    KV_TEXT("why", why.text));
	for (size_t i = 0; i < cf.count; i++)
		load_service(s, &cf.service[i], p);
	buf_free(&folder);
	arena_free(&a);
}

/* signd_load - all certificates of all daemons and services */
void
signd_load(struct signd *s, const struct signd_params *p)
{
	for (size_t i = 0; i < SIGND_USERS; i++) {
		struct names names = names_of((enum signd_user_number)i, p);

		load_user(s, &s->users[i], &names);
	}
	load_names(s, s->users, SIGND_USERS, p->tls_server_sni_maps);
	load_services(s, p);
}

/* notice - one certificate */
static void
notice(struct signd *s, const struct signd_user *u, struct signd_identity *i,
    int64_t now, int64_t notice_ms)
{
	const struct event	*event = NULL;
	struct buf		 until = BUF_INIT;

	if (i->not_after <= now)
		event = EV_SIGND_EXPIRED;
	else if (i->not_before > now)
		event = EV_SIGND_EARLY;
	else if (i->not_after - now <= notice_ms / 1000)
		event = EV_SIGND_EXPIRES;
	else if (i->noticed == 0)
		event = EV_SIGND_LOADED;
	if (event == NULL || (i->noticed != 0 && now - i->noticed < DAY))
		return;
	i->noticed = now;
	calendar_format_iso(&until, i->not_after * 1000000, 0, 0);
	log_event(daemon_log(s->daemon), event, KV_TEXT("daemon", u->daemon),
	    KV_OPT("service", slice_of(u->service == NULL ? "" : u->service)),
	    KV_OPT("host", slice_of(i->host)), KV_TEXT("file", i->file),
	    KV_STR("until", buf_slice(&until)));
	buf_free(&until);
}

/* signd_notice - all certificates */
void
signd_notice(struct signd *s, int64_t now, int64_t notice_ms)
{
	struct signd_user *u;

	for (size_t n = 0; (u = signd_user_at(s, n)) != NULL; n++)
		for (size_t i = 0; i < u->identities.count; i++)
			notice(s, u, &u->identities.v[i], now, notice_ms);
}
