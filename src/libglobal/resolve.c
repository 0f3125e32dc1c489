/* SPDX-License-Identifier: ISC */
/* Opening of a resolver, classes of domains, and the small questions. */
#include "libglobal/resolve.h"

#include <stdlib.h>

#include "libglobal/map_source.h"
#include "libglobal/resolve_impl.h"
#include "libutil/alloc.h"
#include "libutil/diag.h"

/* whom to tell of findings while tables are opened */
struct finder {
	void	(*found)(void *arg, const struct diag *d);
	void	*arg;
};

/* tell - one finding about a parameter */
static void
tell(const struct finder *f, const char *name, const struct diag *d)
{
	struct diag more = DIAG_INIT;

	if (f->found == NULL || d->text[0] == '\0')
		return;
	diag_file(&more, d->file);
	(void)diag_set(&more, d->line, d->column, "%s: %s", name, d->text);
	f->found(f->arg, &more);
}

/* open_table - the list of tables of one parameter */
static struct map_list *
open_table(const struct finder *f, const char *name, struct slice text,
    unsigned flags)
{
	struct map_list *l = NULL;
	struct diag d = DIAG_INIT;
	struct map *m;

	if (map_list_open(text, flags | MAP_TOLERATE, &d, &l) < 0 &&
	    map_list_open(S("fail:"), 0, NULL, &l) < 0)
		fatal("%s: %s", name, d.text);
	tell(f, name, &d);
	for (size_t i = 0; (m = map_list_at(l, i)) != NULL; i++)
		if (map_notice(m) != NULL)
			tell(f, name, map_notice(m));
	return l;
}

/* open_list - the list of patterns of one parameter; one that is wrong fails
 * its lookups */
static struct match_list *
open_list(const struct finder *f, const struct resolve_params *p,
    const char *name, struct slice text, enum match_kind kind)
{
	struct match_list *l = NULL;
	struct diag d = DIAG_INIT;
	unsigned flags = MATCH_TOLERATE;

	for (size_t i = 0; i < p->parent_domain_matches_subdomains.count; i++)
		if (slice_equal(p->parent_domain_matches_subdomains.item[i],
		    slice_of(name)))
			flags |= MATCH_PARENTS;
	if (match_list_open(text, kind, flags, &d, &l) < 0 &&
	    match_list_open(S("fail:"), kind, 0, NULL, &l) < 0)
		fatal("%s: %s", name, d.text);
	tell(f, name, &d);
	return l;
}

/* read_origin - myorigin, or the first line of the file it names */
static struct slice
read_origin(const struct finder *f, struct slice value, struct arena *a)
{
	struct map_source s = MAP_SOURCE_INIT;
	struct diag d = DIAG_INIT;
	struct slice text = SLICE_EMPTY;
	struct stat st;
	uint32_t line;

	if (value.len == 0 || value.data[0] != '/')
		return value;
	if (map_source_read(&s, arena_text(a, value), &st, &d) < 0) {
		tell(f, "myorigin", &d);
	} else if (map_source_next(&s, &text, &line)) {
		text = arena_dup(a, slice_trim(text));
	}
	map_source_free(&s);
	return text;
}

/* has_word - is the word in a list of words? */
static bool
has_word(struct slice list, struct slice word)
{
	struct slice w;

	while (slice_next_word(&list, ", \t\n", &w))
		if (slice_equal(w, word))
			return true;
	return false;
}

/* local_for_search - as map_search asks */
static int
local_for_search(void *arg, struct slice domain)
{
	struct resolver *r = arg;

	if (slice_equal_nocase(domain, r->myorigin))
		return 1;
	return resolve_is_local(r, domain);
}

/* set_rules - what of the parameters is no table */
static void
set_rules(struct resolver *r)
{
	const struct resolve_params *p = r->p;

	r->rules = (struct rewrite_rules){
		.origin = p->append_at_myorigin ? r->myorigin : SLICE_EMPTY,
		.mydomain = p->append_dot_mydomain ? p->mydomain : SLICE_EMPTY,
		.swap_bangpath = p->swap_bangpath,
		.percent_hack = p->allow_percent_hack,
	};
	r->remote_rules = r->rules;
	r->remote_rules.origin = p->remote_header_rewrite_domain;
	r->remote_rules.mydomain = p->remote_header_rewrite_domain;
	r->search = (struct map_search){
		.delimiters = { p->recipient_delimiter,
		    p->owner_request_special, p->double_bounce_sender },
		.is_local = local_for_search,
		.arg = r,
	};
	r->propagate_canonical = has_word(p->propagate_unmatched_extensions,
	    S("canonical"));
	r->propagate_virtual = has_word(p->propagate_unmatched_extensions,
	    S("virtual"));
	r->propagate_alias = has_word(p->propagate_unmatched_extensions,
	    S("alias"));
	for (size_t i = 0; i < p->parent_domain_matches_subdomains.count; i++)
		r->transport_parents |= slice_equal(
		    p->parent_domain_matches_subdomains.item[i],
		    S("transport_maps"));
}

/* set_host - the addresses of this host, and its networks as a list */
static struct slice
set_host(struct resolver *r, const struct resolver_host *host)
{
	struct buf networks = BUF_INIT;
	const struct param_list *proxy = &r->p->proxy_interfaces;
	struct slice text = r->p->mynetworks;

	r->own = ARENA_ARRAY(&r->arena, struct ip,
	    host->interface_count + proxy->count + 1);
	for (size_t i = 0; i < host->interface_count; i++)
		r->own[r->own_count++] = host->interface[i].ip;
	for (size_t i = 0; i < proxy->count; i++)
		if (ip_parse(proxy->item[i], &r->own[r->own_count]) == 0)
			r->own_count++;
	if (slice_equal(slice_trim(text), S("by_style"))) {
		mynetworks_format(&networks,
		    (enum mynetworks_style)r->p->mynetworks_style,
		    host->interface, host->interface_count);
		text = arena_dup(&r->arena, buf_slice(&networks));
	}
	buf_free(&networks);
	return text;
}

/* read_classes - the classes of addresses that a parameter names, as bits */
static unsigned
read_classes(const struct finder *f, const char *name,
    const struct param_list *list)
{
	static const char *const words[] = {
		[RESOLVE_ENVELOPE_SENDER] = "envelope_sender",
		[RESOLVE_ENVELOPE_RECIPIENT] = "envelope_recipient",
		[RESOLVE_HEADER_SENDER] = "header_sender",
		[RESOLVE_HEADER_RECIPIENT] = "header_recipient",
	};
	unsigned classes = 0, bit;

	for (size_t i = 0; i < list->count; i++) {
		bit = 0;
		for (size_t n = 0; n < COUNT(words); n++)
			if (slice_equal_nocase(list->item[i],
			    slice_of(words[n])))
				bit = 1u << n;
		if (bit == 0) {
			struct diag d = DIAG_INIT;

			(void)diag_set(&d, 0, 0, "\"%.*s\" is no class of "
			    "addresses: there are envelope_sender, "
			    "envelope_recipient, header_sender and "
			    "header_recipient", SLICE_ARG(list->item[i]));
			tell(f, name, &d);
		}
		classes |= bit;
	}
	return classes;
}

/* set_classes - which addresses canonical tables and masquerading are for */
static void
set_classes(struct resolver *r, const struct finder *f)
{
#define CLASSES(field, param) r->field = read_classes(f, #param, &r->p->param)
	CLASSES(canonical_in, canonical_classes);
	CLASSES(sender_canonical_in, sender_canonical_classes);
	CLASSES(recipient_canonical_in, recipient_canonical_classes);
	CLASSES(masquerade_in, masquerade_classes);
#undef CLASSES
}

/* resolver_open - open all tables */
struct resolver *
resolver_open(const struct resolve_params *p, const struct resolver_host *host,
    void (*found)(void *arg, const struct diag *), void *arg)
{
	struct finder f = { found, arg };
	struct resolver *r = NEW(struct resolver);
	struct resolve_params *with = &r->with;

	*with = *p;
	r->p = p;
	r->myorigin = read_origin(&f, p->myorigin, &r->arena);
	with->mynetworks = set_host(r, host);
	set_rules(r);
	set_classes(r, &f);
#define TABLE(name, flags) r->name = open_table(&f, #name, with->name, flags);
#include "libglobal/resolve_tables.def"
#define LIST(name, kind) r->name = open_list(&f, p, #name, with->name, kind);
#include "libglobal/resolve_lists.def"
	return r;
}

/* resolver_close - close all tables */
void
resolver_close(struct resolver **r_take)
{
	struct resolver *r = *r_take;

	if (r == NULL)
		return;
#define TABLE(name, flags) map_list_close(&r->name);
#include "libglobal/resolve_tables.def"
#define LIST(name, kind) match_list_close(&r->name);
#include "libglobal/resolve_lists.def"
	arena_free(&r->arena);
	free(r);
	*r_take = NULL;
}

/* resolver_changed - has a file changed? */
bool
resolver_changed(struct resolver *r)
{
	bool changed = false;

#define TABLE(name, flags) changed = changed || map_list_changed(r->name);
#include "libglobal/resolve_tables.def"
#define LIST(name, kind) changed = changed || match_list_changed(r->name);
#include "libglobal/resolve_lists.def"
	return changed;
}

/* resolver_each_file - the files of all tables and lists */
void
resolver_each_file(struct resolver *r,
    void (*each)(void *arg, const char *path), void *arg)
{
	struct map *m;

#define TABLE(name, flags) \
	for (size_t i = 0; (m = map_list_at(r->name, i)) != NULL; i++) \
		map_each_file(m, each, arg);
#include "libglobal/resolve_tables.def"
#define LIST(name, kind) match_list_each_file(r->name, each, arg);
#include "libglobal/resolve_lists.def"
}

/* is_own_literal - [address] of this host? */
static bool
is_own_literal(const struct resolver *r, struct slice domain)
{
	struct slice text = domain;
	struct ip ip;

	if (domain.len < 3 || domain.data[0] != '[')
		return false;
	if (slice_has_prefix_nocase(domain, S("[IPv6:")))
		text = slice_sub(domain, 6, domain.len - 7);
	if (ip_parse(text, &ip) < 0)
		return false;
	for (size_t i = 0; i < r->own_count; i++)
		if (ip_equal(&r->own[i], &ip))
			return true;
	return false;
}

/* resolve_is_local - is it one of this host's domains? */
int
resolve_is_local(struct resolver *r, struct slice domain)
{
	int m = match_list_find(r->mydestination, domain);

	return m != 0 ? m : is_own_literal(r, domain);
}

/* resolve_look - search an address in tables */
int
resolve_look(const struct resolve_ctx *c, struct map_list *l, unsigned parts,
    struct slice address, struct buf *value, struct slice *ret_extension)
{
	if (map_list_is_empty(l))
		return -ENOENT;
	if (!c->q->may_block && (map_list_blocks(l) ||
	    match_list_blocks(c->r->mydestination)))
		return -EINPROGRESS;
	return map_search_address(l, &c->r->search, parts, address, value,
	    ret_extension);
}

/* resolve_match - is the name in a list? */
int
resolve_match(const struct resolve_ctx *c, struct match_list *l,
    struct slice name)
{
	if (!c->q->may_block && match_list_blocks(l))
		return -EINPROGRESS;
	return match_list_find(l, name);
}

/* resolve_who - ask the accounts database */
int
resolve_who(const struct resolve_ctx *c, struct slice address,
    struct resolve_who *ret_who)
{
	*ret_who = (struct resolve_who){ .domain = false };
	return c->q->who == NULL ? 0 : c->q->who(c->q->arg, address, ret_who);
}

/* resolve_class - the class of an address */
int
resolve_class(const struct resolve_ctx *c, struct slice address,
    enum resolve_class *ret_class, bool *ret_in_database)
{
	struct resolver *r = c->r;
	struct slice local, domain;
	struct resolve_who who;
	int m;

	*ret_in_database = false;
	map_search_cut(address, &local, &domain);
	*ret_class = RESOLVE_LOCAL;
	if (!c->q->may_block && match_list_blocks(r->mydestination))
		return -EINPROGRESS;
	if ((m = resolve_is_local(r, domain)) != 0)
		return m < 0 ? m : 0;
	*ret_class = RESOLVE_ALIAS;
	if ((m = resolve_match(c, r->virtual_alias_domains, domain)) != 0)
		return m < 0 ? m : 0;
	*ret_class = RESOLVE_MAILBOX;
	if ((m = resolve_who(c, address, &who)) < 0)
		return m;
	if (who.domain) {
		*ret_in_database = true;
		return 0;
	}
	if ((m = resolve_match(c, r->virtual_mailbox_domains, domain)) != 0)
		return m < 0 ? m : 0;
	*ret_class = RESOLVE_RELAY;
	if ((m = resolve_match(c, r->relay_domains, domain)) != 0)
		return m < 0 ? m : 0;
	*ret_class = RESOLVE_DEFAULT;
	return 0;
}

/* resolve_client - is the client in mynetworks? */
int
resolve_client(struct resolver *r, struct slice name, struct slice address,
    bool may_block)
{
	if (!may_block && match_list_blocks(r->mynetworks))
		return -EINPROGRESS;
	return match_list_find_client(r->mynetworks, name, address);
}
