/* SPDX-License-Identifier: ISC */
/*
 * conf: configuration as names and texts, in the syntax and with the meaning
 * of Postfix's main.cf. Typed values are made by param.h from what is here.
 *
 * A struct conf is one layer; it may lie over another. What a daemon sees is
 *
 *	defaults (param_defaults) < main.cf (conf_read) < -o (conf_override)
 *
 * A name is looked up from the top down, also when it is referred to from a
 * layer below. Values are kept as written and expanded on use:
 *
 *	$name ${name} $(name)		the expanded value, "" if undefined
 *	${name?text} ${name?{text}}	text if the value, as written, is not
 *					empty
 *	${name:text} ${name:{text}}	text if it is
 *	${name?{text}:{text}}
 *	${{x} == {y} ? {text}:{text}}	== != < <= >= >; numbers if both sides
 *					are digits, else bytes; "<=level" and
 *					its like compare as dotted versions
 *	${{x} == {y}}			"true" or nothing
 *	$$				a dollar
 *
 * Anything else after a "$" is an error that names file, line and parameter.
 * Nothing here does I/O: whoever reads the file hands over its text.
 */
#ifndef LIBUTIL_CONF_H
#define LIBUTIL_CONF_H

#include "libutil/slice.h"

struct arena;
struct buf;
struct conf;
struct diag;

#define CONF_TEXT_MAX		((size_t)4 << 20)	/* a whole file */
#define CONF_NAME_MAX		200
/* the limits of expansion are macro.h's */

struct conf_entry {
	struct slice			 name;
	struct slice			 value;		/* as written, joined */
	struct slice			 file;		/* "" for a default */
	uint32_t			 line;		/* from 1, or 0 */
	const struct conf_entry		*earlier;	/* overruled here */
};

/* an empty layer over another (NULL for none), which must outlive it */
struct conf	*conf_new(const struct conf *under);
void		 conf_free(struct conf **);

/* read the text of a main.cf into the layer; the last definition wins.
 * -EBADMSG with the first finding; nothing is kept then */
MUST_USE int	conf_read(struct conf *, struct slice text, const char *file,
		    struct diag *);
/* the argument of an -o: "name=value" or "{ name = value }" */
MUST_USE int	conf_override(struct conf *, struct slice arg,
		    const char *file, uint32_t line, struct diag *);
/* set one name in the layer; file may be "" and line 0 */
void	conf_put(struct conf *, struct slice name, struct slice value,
	    const char *file, uint32_t line);

/* the entry that counts, or NULL; lent until the layer changes */
const struct conf_entry	*conf_find(const struct conf *, struct slice name);
/* the entry of this layer only */
const struct conf_entry	*conf_find_here(const struct conf *, struct slice name);
/* walk this layer in order of first definition, from *at = 0; NULL at the
 * end. The entry is the one that counts, conf_entry.earlier the others */
const struct conf_entry	*conf_each(const struct conf *, size_t *at);
/* the layer this one lies over, or NULL */
const struct conf	*conf_under(const struct conf *);

/* append the expanded value of a name: 0, -ENOENT if it is defined nowhere,
 * -EBADMSG with a finding in its or a nested value */
MUST_USE int	conf_get(const struct conf *, struct slice name,
		    struct buf *out, struct diag *);
/* append the expansion of a text that stands at file:line */
MUST_USE int	conf_expand(const struct conf *, struct slice text,
		    struct buf *out, struct diag *);
/* call back for every name a value refers to, in the branches not taken too;
 * -EBADMSG when the value is malformed, which loading it will say as well */
int	conf_references(struct slice value,
	    void (*found)(void *arg, struct slice name), void *arg,
	    struct diag *);

/* is it a name that can be defined? */
bool	conf_is_name(struct slice name);

/* lists: items between commas and blanks; "{...}" groups */

/* cut the next item off *rest, braces still on it: 1, 0 at the end, -EBADMSG
 * for a brace without its partner */
MUST_USE int	conf_list_next(struct slice *rest, struct slice *ret_item);
/* is the whole item one {...}? then what is inside, without outer blanks */
bool	conf_list_group(struct slice item, struct slice *ret_inside);

/* one layer for all: handing a configuration to another process */

/* append what counts, layers merged, as bytes */
void	conf_snapshot(const struct conf *, struct buf *out);
/* a layer from such bytes; -EBADMSG if they are not what was written */
MUST_USE int	conf_restore(struct slice bytes, struct conf **ret_conf);

#endif
