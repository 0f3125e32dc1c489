/* SPDX-License-Identifier: ISC */
/*
 * What daemons do all day, done inside their sandboxes: libraries must find
 * all they need, and not one system call may be refused.
 */
#include "libglobal/sandbox_rows.h"

#include "test.h"

#include <argon2.h>
#include <crypt.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "libtask/io.h"
#include "libtask/loop.h"
#include "libtask/memfile.h"
#include "libtask/stream.h"
#include "libtask/tls.h"
#include "libtask/work.h"
#include "libutil/diag.h"

#define NOBODY	54321

#define MUST(cond)	do { if (!(cond)) { \
	fprintf(stderr, "# line %d: %s (%s)\n", __LINE__, #cond, \
	    strerror(errno)); return 1; } } while (0)

/* --- the loop, streams, work */

static int
block(void *arg)
{
	struct timespec a_bit = { 0, 2000000 };

	*(int *)arg = 7;
	return nanosleep(&a_bit, NULL);
}

static int
echo(struct task *t, void *arg)
{
	struct stream *s = arg;
	struct slice line;
	int r = stream_read_line(t, s, 100, &line);

	if (r == 0)
		r = stream_writef(t, s, "%.*s\r\n", SLICE_ARG(line));
	return r == 0 ? stream_shutdown(t, s) : r;
}

static int
on_tasks(struct task *t, void *arg)
{
	struct stream a, b;
	struct task_group g;
	struct slice line;
	int fds[2], worked = 0, r;

	(void)arg;
	if ((r = fd_pair(fds)) < 0)
		return r;
	stream_open(&a, task_loop(t), &fds[0]);
	stream_open(&b, task_loop(t), &fds[1]);
	task_group_begin(t, &g);
	task_group_start(&g, echo, &b);
	if ((r = stream_write(t, &a, S("hello\r\n"))) == 0 &&
	    (r = stream_read_line(t, &a, 100, &line)) == 0 &&
	    (r = work_run(t, block, &worked)) == 0)
		r = task_sleep(t, 5);
	if (worked != 7)
		r = -EIO;
	if (r == 0)
		r = task_group_end(t, &g);
	stream_close(&a);
	stream_close(&b);
	return r;
}

static int
life_of_tasks(void)
{
	struct loop_options o = { .workers = 3 };
	struct loop *l = loop_new(&o);

	MUST(loop_run(l, on_tasks, NULL) == 0);
	loop_free(l);
	return 0;
}

static int
life_of_content(void)
{
	struct memfile m = MEMFILE_INIT;
	struct slice s;
	struct tm tm;
	time_t now = time(NULL);
	char text[64];

	MUST(memfile_new("content", 1 << 20, &m) == 0);
	MUST(memfile_append(&m, S("hello")) == 0);
	MUST(memfile_truncate(&m, 4) == 0);
	MUST(memfile_seal(&m) == 0);
	MUST(memfile_map(m.fd, &s) == 0);
	memfile_unmap(&s);
	memfile_done(&m);
	MUST(localtime_r(&now, &tm) != NULL);
	MUST(strftime(text, sizeof(text), "%F %T %Z", &tm) > 0);
	return 0;
}

/* --- files */

static int
life_of_lmdb(const char *folder)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_val key = { 1, (char []){ 'k' } }, value = { 1, (char []){ 'v' } };

	MUST(mdb_env_create(&env) == 0);
	MUST(mdb_env_set_mapsize(env, 1 << 24) == 0);
	MUST(mdb_env_open(env, folder, MDB_NOTLS, 0600) == 0);
	for (int i = 0; i < 3; i++) {
		MUST(mdb_txn_begin(env, NULL, 0, &txn) == 0);
		MUST(mdb_dbi_open(txn, NULL, 0, &dbi) == 0);
		MUST(mdb_put(txn, dbi, &key, &value, 0) == 0);
		MUST(mdb_txn_commit(txn) == 0);
		MUST(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0);
		MUST(mdb_get(txn, dbi, &key, &value) == 0);
		mdb_txn_abort(txn);
	}
	mdb_env_close(env);
	return 0;
}

static int
life_of_files(const char *folder)
{
	char a[100], b[100];
	int fd, dir;

	(void)snprintf(a, sizeof(a), "%s/a.tmp", folder);
	(void)snprintf(b, sizeof(b), "%s/b", folder);
	fd = open(a, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	MUST(fd >= 0 && posix_fallocate(fd, 0, 4096) == 0);
	MUST(pwrite(fd, "x", 1, 0) == 1 && fdatasync(fd) == 0);
	close(fd);
	MUST(rename(a, b) == 0);
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MUST(dir >= 0 && fsync(dir) == 0);
	close(dir);
	MUST(unlink(b) == 0);
	return 0;
}

static int
life_of_accountd(void)
{
	char packed[200], plain[200];
	size_t n = ZSTD_compress(packed, sizeof(packed), "hello hello", 11, 3);

	MUST(!ZSTD_isError(n));
	MUST(ZSTD_decompress(plain, sizeof(plain), packed, n) == 11);
	return life_of_lmdb(".") + life_of_files(".") + life_of_content();
}

static int
life_of_qmgr(void)
{
	return life_of_lmdb("state.lmdb") + life_of_content();
}

static int
life_of_cleanup(void)
{
	return life_of_files("slot") + life_of_files("large") +
	    life_of_content();
}

static int
life_of_authd(void)
{
	struct crypt_data data = { 0 };
	char hash[128];

	MUST(crypt_rn("secret", "$6$saltsalt$", &data, sizeof(data)) != NULL);
	MUST(crypt_rn("secret", "$y$j9T$abcdefgh$", &data, sizeof(data)) !=
	    NULL);
	MUST(argon2id_hash_encoded(2, 8192, 2, "secret", 6, "saltsalt", 8, 32,
	    hash, sizeof(hash)) == ARGON2_OK);
	return life_of_lmdb(".");
}

/* --- TLS, with the context made inside */

static struct buf	chain, key_pem;

static void
make_identity(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	BIO *b[2] = { BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()) };
	char *data;
	long len;

	X509_set_version(x, 2);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_set_pubkey(x, key);
	X509_sign(x, key, EVP_sha256());
	PEM_write_bio_X509(b[0], x);
	PEM_write_bio_PrivateKey(b[1], key, NULL, NULL, 0, NULL, NULL);
	len = BIO_get_mem_data(b[0], &data);
	buf_add(&chain, slice_over(data, (size_t)len));
	len = BIO_get_mem_data(b[1], &data);
	buf_add(&key_pem, slice_over(data, (size_t)len));
	X509_free(x);
	EVP_PKEY_free(key);
	BIO_free(b[0]);
	BIO_free(b[1]);
}

static int
sign_here(struct task *t, void *arg, const struct tls_key_id *id,
    enum tls_scheme scheme, struct slice tbs, struct buf *ret_sig)
{
	(void)t;
	(void)id;
	return tls_key_sign_tbs(arg, scheme, tbs, ret_sig);
}

static int
life_of_tls(void)
{
	struct tls_params sp = { .role = TLS_SERVER, .session_name = "x" };
	struct tls_params cp = { .role = TLS_CLIENT };
	struct tls_peer peer = { .level = TLS_LEVEL_MAY };
	struct tls_context *sc, *cc;
	struct tls *s, *c;
	EVP_PKEY *key;
	int fds[2], sr = -EAGAIN, cr = -EAGAIN;

	MUST(tls_key_parse_pem(buf_slice(&key_pem), &key, NULL) == 0);
	MUST(tls_context_new(&sp, &sc, NULL) == 0);
	MUST(tls_context_new(&cp, &cc, NULL) == 0);
	MUST(tls_context_add_certificate(sc, NULL, buf_slice(&chain),
	    sign_here, key, NULL) == 0);
	MUST(fd_pair(fds) == 0);
	MUST(tls_new(sc, fds[0], 0, NULL, &s) == 0);
	MUST(tls_new(cc, fds[1], 0, &peer, &c) == 0);
	for (int i = 0; i < 20 && (sr == -EAGAIN || cr == -EAGAIN); i++) {
		if (cr == -EAGAIN)
			cr = tls_handshake(NULL, c);
		if (sr == -EAGAIN)
			sr = tls_handshake(NULL, s);
	}
	MUST(sr == 0 && cr == 0);
	tls_free(&s);
	tls_free(&c);
	tls_context_free(&sc);
	tls_context_free(&cc);
	tls_key_free(key);
	return 0;
}

/* --- the cases */

static const struct {
	const char	*row;
	int		(*live)(void);
} cases[] = {
	{ "smtpd",	life_of_tasks },
	{ "smtpd",	life_of_tls },
	{ "smtp",	life_of_tls },
	{ "imapd",	life_of_tasks },
	{ "imapd",	life_of_tls },
	{ "signd",	life_of_tls },
	{ "signd",	life_of_tasks },
	{ "pickup",	life_of_tasks },
	{ "lmtpd",	life_of_content },
	{ "cleanup",	life_of_cleanup },
	{ "cleanup",	life_of_tasks },
	{ "qmgr",	life_of_qmgr },
	{ "bounce",	life_of_content },
	{ "accountd",	life_of_accountd },
	{ "accountd",	life_of_tasks },
	{ "stored",	life_of_content },
	{ "authd",	life_of_authd },
	{ "authd",	life_of_tasks },
	{ "dnsd",	life_of_tasks },
	{ "mapd",	life_of_tasks },
	{ "logd",	life_of_tasks },
};

static char	root[400];

/* make_root - a fresh root folder for a row */
static void
make_root(const struct sandbox_row *row, size_t i, bool as_user)
{
	static const char *const folders[] = { "", "/slot", "/large",
	    "/state.lmdb" };
	bool empty = row->root == SANDBOX_ROOT_EMPTY;
	size_t base;

	(void)chmod(test_tmpdir(), 0755);
	(void)snprintf(root, sizeof(root), "%s/%zu-%d", test_tmpdir(), i,
	    as_user);
	base = strlen(root);
	for (size_t k = 0; k < (empty ? 1 : COUNT(folders)); k++) {
		(void)snprintf(root + base, sizeof(root) - base, "%s",
		    folders[k]);
		(void)mkdir(root, 0755);
		if (geteuid() == 0 && !empty)
			(void)!chown(root, NOBODY, NOBODY);
	}
	root[base] = '\0';
}

static int
child(size_t i, bool as_user)
{
	const struct sandbox_row *row = sandbox_row_find(
	    slice_of(cases[i].row));
	struct sandbox_request req = { .row = row, .uid = NOBODY,
	    .gid = NOBODY, .root = root, .root_fd = -1 };
	struct sandbox_state s = SANDBOX_STATE_INIT;
	struct sandbox_refusal refused;
	struct diag d = DIAG_INIT;
	int r;

	if (as_user && geteuid() == 0 &&
	    (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
		return 90;
	tls_library_init();
	if (sandbox_enter(&req, &s, &d) < 0) {
		fprintf(stderr, "# %s\n", d.text);
		return 91;
	}
	r = cases[i].live();
	while (sandbox_next_refusal(s.refusals, &refused) == 0) {
		fprintf(stderr, "# %s: %s was refused\n", cases[i].row,
		    refused.name);
		r = 92;
	}
	return r;
}

static void
run(bool as_user)
{
	if (chain.len == 0)
		make_identity();
	for (size_t i = 0; i < COUNT(cases); i++) {
		int status = -1;
		pid_t pid;

		make_root(sandbox_row_find(slice_of(cases[i].row)), i,
		    as_user);
		fflush(stdout);
		if ((pid = fork()) == 0)
			_exit(child(i, as_user));
		CHECK(waitpid(pid, &status, 0) == pid, i);
		CHECK_INT(status, 0, i);
	}
}

TEST(sandbox_life_as_root)
{
	if (geteuid() == 0)
		run(false);
}

TEST(sandbox_life_as_user)
{
	run(true);
	buf_free(&chain);
	buf_free(&key_pem);
}
