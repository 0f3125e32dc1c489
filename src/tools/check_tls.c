/* SPDX-License-Identifier: ISC */
/* Private keys and certificates: there, matching, valid, of the right name. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "libutil/buf.h"
#include "libutil/conf.h"
#include "tools/check.h"

#define CERTIFICATES_MAX	64
#define EXPIRY_NOTICE		(7 * 86400)

struct chain {
	const char	*param;
	X509		*cert[CERTIFICATES_MAX];
	size_t		 count;
	size_t		 keys, lonely_keys;
};

/* no_passphrase - nobody could type it when signd starts */
static int
no_passphrase(char *out, int size, int writing, void *arg)
{
	(void)out, (void)size, (void)writing, (void)arg;
	return -1;
}

/* check_key_file - may others read a file with a key in it? */
static void
check_key_file(struct check *c, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & S_IROTH) != 0)
		check_found(c, CHECK_ERROR, path, "everybody may read the "
		    "private key in it; chmod o-r %s", path);
}

/* read_certificates - all of a file */
static void
read_certificates(struct check *c, struct chain *chain, const char *path)
{
	BIO	*in = BIO_new_file(path, "r");
	X509	*x;

	if (in == NULL) {
		check_found(c, CHECK_ERROR, chain->param, "%s: %s; without it "
		    "there is no TLS", path, strerror(errno));
		return;
	}
	while (chain->count < CERTIFICATES_MAX &&
	    (x = PEM_read_bio_X509(in, NULL, no_passphrase, NULL)) != NULL)
		chain->cert[chain->count++] = x;
	(void)BIO_free(in);
}

static bool
fits_one(const struct chain *chain, EVP_PKEY *key)
{
	for (size_t i = 0; i < chain->count; i++)
		if (X509_check_private_key(chain->cert[i], key) == 1)
			return true;
	return false;
}

/* read_keys - the keys of a file, each with a certificate of its own? */
static void
read_keys(struct check *c, struct chain *chain, const char *path)
{
	BIO		*in = BIO_new_file(path, "r");
	EVP_PKEY	*key;
	size_t		 before = chain->keys;

	if (in == NULL)
		return;			/* said already */
	while ((key = PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL)) !=
	    NULL) {
		chain->keys++;
		if (!fits_one(chain, key))
			check_found(c, CHECK_ERROR, path, "no certificate of "
			    "%s belongs to the private key in it",
			    chain->param);
		EVP_PKEY_free(key);
	}
	(void)BIO_free(in);
	if (chain->keys > before)
		check_key_file(c, path);
}

/* check_times - is it valid now, and for a while? */
static void
check_times(struct check *c, const struct chain *chain, const X509 *x)
{
	time_t	soon = time(NULL) + EXPIRY_NOTICE;

	if (X509_cmp_current_time(X509_get0_notBefore(x)) > 0)
		check_found(c, CHECK_ERROR, chain->param, "the certificate is "
		    "not valid yet; is the clock right?");
	if (X509_cmp_current_time(X509_get0_notAfter(x)) < 0)
		check_found(c, CHECK_ERROR, chain->param, "the certificate has "
		    "expired; get a new one");
	else if (X509_cmp_time(X509_get0_notAfter(x), &soon) < 0)
		check_found(c, CHECK_WARNING, chain->param, "the certificate "
		    "expires within a week; get a new one");
}

/* check_chain - the files of one server, read as one */
static void
check_chain(struct check *c, const char *param, const char *const *paths,
    size_t count)
{
	struct chain	 chain = { .param = param };
	const char	*host = tool_value(c->tool, "myhostname");

	for (size_t i = 0; i < count; i++)
		read_certificates(c, &chain, paths[i]);
	for (size_t i = 0; i < count; i++)
		read_keys(c, &chain, paths[i]);
	if (chain.count == 0)
		check_found(c, CHECK_ERROR, param, "no certificate in its "
		    "files");
	else if (chain.keys == 0)
		check_found(c, CHECK_ERROR, param, "no private key without a "
		    "passphrase in its files");
	if (chain.count > 0) {
		check_times(c, &chain, chain.cert[0]);
		if (X509_check_host(chain.cert[0], host, 0, 0, NULL) != 1)
			check_found(c, CHECK_WARNING, param, "the certificate "
			    "is not for %s, the name of this host "
			    "(myhostname); clients may refuse it", host);
	}
	for (size_t i = 0; i < chain.count; i++)
		X509_free(chain.cert[i]);
	ERR_clear_error();
}

/* label - where it stands: the parameter, and the service that overrides it */
static const char *
label(struct check *c, const char *param, const char *service)
{
	return service == NULL ? param : arena_printf(&c->tool->arena,
	    "%s: service %s: %s", c->master_cf, service, param).data;
}

/* check_chain_files - a parameter that lists files; false if it is empty */
static bool
check_chain_files(struct check *c, const char *param, const char *service)
{
	struct slice	 rest = slice_of(tool_value(c->tool, param)), item;
	const char	*paths[32];
	size_t		 count = 0;

	while (count < COUNT(paths) &&
	    slice_next_word(&rest, ", \t\r\n", &item))
		paths[count++] = arena_text(&c->tool->arena, item);
	if (count > 0)
		check_chain(c, label(c, param, service), paths, count);
	return count > 0;
}

/* check_pair - certificate and key in files of their own */
static void
check_pair(struct check *c, const char *cert_param, const char *key_param,
    const char *service)
{
	const char *paths[2] = {
		tool_value(c->tool, cert_param), tool_value(c->tool, key_param)
	};

	if (paths[0][0] != '\0' && strcmp(paths[0], "none") != 0)
		check_chain(c, label(c, cert_param, service), paths,
		    strcmp(paths[0], paths[1]) == 0 ? 1 : 2);
}

/* the parameters of the servers that have certificates, chain files first */
static const char *const servers[][6] = {
	{ "smtpd", "smtpd_tls_chain_files", "smtpd_tls_cert_file",
	  "smtpd_tls_key_file", "smtpd_tls_eccert_file",
	  "smtpd_tls_eckey_file" },
	{ "imapd", "imapd_tls_chain_files", "imapd_tls_cert_file",
	  "imapd_tls_key_file", "imapd_tls_eccert_file",
	  "imapd_tls_eckey_file" },
};

/* check_server - one server's certificates, by the present values */
static void
check_server(struct check *c, const char *const *param, const char *service)
{
	if (check_chain_files(c, param[1], service))
		return;
	check_pair(c, param[2], param[3], service);
	check_pair(c, param[4], param[5], service);
}

/* check_service - a row whose overrides name other files than main.cf */
static void
check_service(struct check *c, const struct mastercf_service *row,
    const char *const *param)
{
	struct conf	*all = c->tool->conf, *own = conf_new(all);
	const char	*name = arena_text(&c->tool->arena, row->name);
	bool		 differs = false;

	for (size_t i = 0; i < row->override_count; i++)
		conf_put(own, row->override[i].name, row->override[i].value,
		    "master.cf", row->override[i].line);
	for (size_t i = 1; i < COUNT(servers[0]) && !differs; i++) {
		const char *before = tool_value(c->tool, param[i]);

		c->tool->conf = own;
		differs = strcmp(before, tool_value(c->tool, param[i])) != 0;
		c->tool->conf = all;
	}
	c->tool->conf = own;
	if (differs)
		check_server(c, param, name);
	c->tool->conf = all;
	conf_free(&own);
}

/* check_certificates - of all servers; what is the same is said once */
void
check_certificates(struct check *c)
{
	const struct mastercf	*cf = &c->tool->cf;
	bool			 same = true;

	for (size_t i = 1; i < COUNT(servers[0]); i++)
		same &= strcmp(tool_value(c->tool, servers[0][i]),
		    tool_value(c->tool, servers[1][i])) == 0;
	check_server(c, servers[0], NULL);
	if (!same)
		check_server(c, servers[1], NULL);
	for (size_t i = 0; i < cf->count; i++) {
		const struct mastercf_command *command =
		    mastercf_command_find(cf->service[i].command);

		for (size_t n = 0; n < COUNT(servers); n++)
			if (command != NULL && command->how == MASTERCF_RUN &&
			    strcmp(command->daemon, servers[n][0]) == 0)
				check_service(c, &cf->service[i], servers[n]);
	}
}
