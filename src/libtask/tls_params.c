/* SPDX-License-Identifier: ISC */
/*
 * The TLS parameters of main.cf, read once. Each list is of words between
 * blanks, commas and colons. A word that is not known is an error that names
 * it: TLS that is weaker than somebody thinks is worse than none.
 */
#include "libtask/tls_private.h"

#include "libutil/buf.h"
#include "libutil/diag.h"

#define SEPARATORS	" \t\r\n,:"
#define DEFAULT_GROUPS	"X25519 X448 prime256v1 secp384r1 secp521r1"

static const struct {
	const char	*name;
	int		 number;
	uint64_t	 exclude;
} protocols[] = {
#define PROTOCOL(name, number, exclude)	{ name, number, exclude },
#include "libtask/tls_protocols.def"
};

static const struct {
	const char	*name;
	const char	*list;
} grades[] = {
#define GRADE(name, list)	{ name, list },
#include "libtask/tls_grades.def"
};

static const struct {
	const char	*name;
	uint64_t	 bits;
} options[] = {
#define OPTION(name, bits)	{ name, bits },
#include "libtask/tls_options.def"
};

/* hex_of - "0x0303" as a number; false if it is not one */
static bool
hex_of(struct slice word, uint64_t *ret_value)
{
	uint64_t	value = 0;

	if (!slice_has_prefix_nocase(word, S("0x")) || word.len < 3 ||
	    word.len > 18)
		return false;
	for (size_t i = 2; i < word.len; i++) {
		char c = ascii_lower(word.data[i]);

		if (ascii_is_digit(c))
			value = value << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	*ret_value = value;
	return true;
}

/* protocol_find - its place in the table, by name or number; -1: unknown */
static int
protocol_find(struct slice word)
{
	uint64_t	number;
	bool		is_number = hex_of(word, &number);

	for (size_t i = 0; i < COUNT(protocols); i++)
		if (slice_equal_nocase(word, slice_of(protocols[i].name)) ||
		    (is_number && number == (uint64_t)protocols[i].number))
			return (int)i;
	return -1;
}

/* what a list of protocols asks for: bits by place in the table */
struct protocol_set {
	unsigned	included;
	unsigned	excluded;
	int		min;		/* places; -1: no bound */
	int		max;
};

/* protocol_word - take one word of the list */
static bool
protocol_word(struct slice word, struct protocol_set *set)
{
	int	i;

	if (slice_has_prefix(word, S(">="))) {
		set->min = i = protocol_find(slice_from(word, 2));
	} else if (slice_has_prefix(word, S("<="))) {
		set->max = i = protocol_find(slice_from(word, 2));
	} else if (slice_has_prefix(word, S("!"))) {
		i = protocol_find(slice_from(word, 1));
		set->excluded |= i < 0 ? 0 : 1u << i;
	} else {
		i = protocol_find(word);
		set->included |= i < 0 ? 0 : 1u << i;
	}
	return i >= 0;
}

/* read_protocols - which versions of TLS are spoken */
static int
read_protocols(const char *list, struct tls_context *ctx, struct diag *diag)
{
	struct protocol_set set = { 0, 0, -1, -1 };
	struct slice	rest = slice_of(list), word;
	bool		any = false;

	while (slice_next_word(&rest, SEPARATORS, &word))
		if (!protocol_word(word, &set))
			return diag_set(diag, 0, 0, "unknown TLS protocol "
			    "\"%.*s\": known are SSLv3, TLSv1, TLSv1.1, "
			    "TLSv1.2, TLSv1.3, with \"!\", \">=\" or \"<=\" "
			    "before them", SLICE_ARG(word));
	for (int i = 0; i < (int)COUNT(protocols); i++) {
		unsigned bit = 1u << i;

		if ((set.included != 0 && (set.included & bit) == 0) ||
		    (set.excluded & bit) != 0 || i < set.min ||
		    (set.max >= 0 && i > set.max)) {
			ctx->options |= protocols[i].exclude;
			continue;
		}
		if (protocols[i].exclude == 0)
			continue;	/* a version that no library has */
		if (!any)
			ctx->version_min = protocols[i].number;
		ctx->version_max = protocols[i].number;
		any = true;
	}
	if (!any)
		return diag_set(diag, 0, 0,
		    "the protocols \"%s\" leave no version of TLS", list);
	return 0;
}

/* is_cipher_word - a name or a combination of names, no list syntax */
static bool
is_cipher_word(struct slice word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!ascii_is_alnum(word.data[i]) && word.data[i] != '-' &&
		    word.data[i] != '+' && word.data[i] != '_')
			return false;
	return ascii_is_alnum(word.data[0]);
}

/* read_ciphers - the list for TLS 1.2 and older */
static int
read_ciphers(const struct tls_params *p, struct tls_context *ctx,
    struct diag *diag)
{
	struct slice	rest = slice_of(p->exclude_ciphers), word;
	const char	*list = p->cipher_list, *grade = p->ciphers;

	if (grade == NULL || grade[0] == '\0')
		grade = "medium";
	for (size_t i = 0; list == NULL && i < COUNT(grades); i++)
		if (slice_equal_nocase(slice_of(grade),
		    slice_of(grades[i].name)))
			list = grades[i].list;
	if (list == NULL)
		return diag_set(diag, 0, 0, "unknown cipher grade \"%s\": "
		    "known are high, medium, low, export, null", grade);
	buf_add_text(&ctx->ciphers, list);

	/*
	 * What no peer of ours may end up with. A server has no RSA key
	 * exchange and no finite field one: its key, in signd, neither
	 * decrypts nor signs such a text (tls_key.h).
	 */
	buf_add_text(&ctx->ciphers, ":!aNULL:!kPSK:!kSRP:!aDSS");
	if (p->role == TLS_SERVER)
		buf_add_text(&ctx->ciphers, ":!kRSA:!kDHE");
	while (slice_next_word(&rest, SEPARATORS, &word)) {
		if (!is_cipher_word(word))
			return diag_set(diag, 0, 0, "\"%.*s\" is no cipher "
			    "that could be excluded", SLICE_ARG(word));
		buf_addf(&ctx->ciphers, ":!%.*s", SLICE_ARG(word));
	}
	return 0;
}

/* read_options - switches of OpenSSL */
static int
read_options(const char *list, struct tls_context *ctx, struct diag *diag)
{
	struct slice	rest = slice_of(list), word;
	uint64_t	bits;
	size_t		i;

	while (slice_next_word(&rest, SEPARATORS, &word)) {
		for (i = 0; i < COUNT(options); i++)
			if (slice_equal_nocase(word, slice_of(options[i].name)))
				break;
		if (i < COUNT(options))
			ctx->options |= options[i].bits;
		else if (hex_of(word, &bits))
			ctx->options |= bits;
		else
			return diag_set(diag, 0, 0,
			    "unknown TLS option \"%.*s\"", SLICE_ARG(word));
	}
	return 0;
}

/* read_groups - key exchange groups; one that OpenSSL lacks is left out */
static int
read_groups(const char *list, struct tls_context *ctx, struct diag *diag)
{
	struct slice	rest, word;
	SSL_CTX		*probe = SSL_CTX_new(TLS_method());

	if (list == NULL || list[0] == '\0')
		list = DEFAULT_GROUPS;
	rest = slice_of(list);
	while (slice_next_word(&rest, SEPARATORS, &word)) {
		size_t before = ctx->groups.len;

		if (before > 0)
			buf_add_byte(&ctx->groups, ':');
		buf_add(&ctx->groups, word);
		if (probe == NULL || SSL_CTX_set1_groups_list(probe,
		    buf_cstr(&ctx->groups)) != 1)
			buf_truncate(&ctx->groups, before);
	}
	SSL_CTX_free(probe);
	(void)tls_library_error();
	if (ctx->groups.len == 0)
		return diag_set(diag, 0, 0,
		    "no key exchange group of \"%s\" is known", list);
	return 0;
}

/* read_alpn - protocol names, as they stand on the wire (RFC 7301 3.1) */
static int
read_alpn(const char *list, struct tls_context *ctx, struct diag *diag)
{
	struct slice	rest = slice_of(list), word;

	while (slice_next_word(&rest, SEPARATORS, &word)) {
		if (word.len > 255)
			return diag_set(diag, 0, 0,
			    "a protocol name is longer than 255 bytes");
		buf_add_byte(&ctx->alpn, (char)word.len);
		buf_add(&ctx->alpn, word);
	}
	return 0;
}

/* tls_params_read - all of them */
int
tls_params_read(const struct tls_params *p, struct tls_context *ctx,
    struct diag *diag)
{
	int	r;

	ctx->role = p->role;
	ctx->options = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION;
	if (p->prefer_server_order)
		ctx->options |= SSL_OP_CIPHER_SERVER_PREFERENCE;
	if ((r = read_protocols(p->protocols, ctx, diag)) < 0 ||
	    (r = read_ciphers(p, ctx, diag)) < 0 ||
	    (r = read_options(p->ssl_options, ctx, diag)) < 0 ||
	    (r = read_groups(p->groups, ctx, diag)) < 0 ||
	    (r = read_alpn(p->alpn, ctx, diag)) < 0)
		return r;
	return 0;
}

/* tls_level_parse - smtp_tls_security_level */
int
tls_level_parse(struct slice name, enum tls_level *ret_level)
{
	static const struct {
		const char	*name;
		enum tls_level	 level;
	} levels[] = {
		{ "none", TLS_LEVEL_NONE },
		{ "may", TLS_LEVEL_MAY },
		{ "encrypt", TLS_LEVEL_ENCRYPT },
		{ "verify", TLS_LEVEL_VERIFY },
		{ "secure", TLS_LEVEL_SECURE },
	};

	for (size_t i = 0; i < COUNT(levels); i++) {
		if (!slice_equal_nocase(name, slice_of(levels[i].name)))
			continue;
		*ret_level = levels[i].level;
		return 0;
	}
	return -EBADMSG;
}
