/* SPDX-License-Identifier: ISC */
/*
 * Built table files: made, extended, cut down, read back; files that Postfix
 * made (tests/data/map) are read, and where its postmap is installed, it
 * reads ours.
 */
#include "libglobal/map_make.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libglobal/map.h"
#include "libutil/diag.h"
#include "test.h"

static const char *const built_types[] = { "btree", "hash", "lmdb" };

/* spec_of - "type:path" of a file of this run; static storage */
static struct slice
spec_of(const char *type, const char *name)
{
	static char spec[4200];

	snprintf(spec, sizeof(spec), "%s:%s/%s", type, test_tmpdir(), name);
	return slice_of(spec);
}

/* write_file - make a file with that text; lends its path */
static const char *
write_file(const char *name, const char *text)
{
	static char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", test_tmpdir(), name);
	f = fopen(path, "w");
	CHECK(f != NULL, 0);
	fputs(text, f);
	fclose(f);
	return path;
}

/* note_warning - collect warnings as "line:text;" */
static void
note_warning(void *arg, const struct diag *d)
{
	buf_addf(arg, "%u:%s;", d->line, d->text);
}

/* check_get - a lookup in a fresh handle; want NULL: not there */
static void
check_get(struct slice spec, unsigned flags, const char *key, const char *want,
    size_t row)
{
	struct buf value = BUF_INIT;
	struct diag d = DIAG_INIT;
	struct map *m = NULL;

	if (CHECK_INT(map_open(spec, flags, &d, &m), 0, row) < 0) {
		printf("# %s\n", d.text);
		return;
	}
	if (CHECK_INT(map_get(m, slice_of(key), &value),
	    want == NULL ? -ENOENT : 0, row) == 0)
		CHECK_TEXT(buf_slice(&value), want, row);
	buf_free(&value);
	map_close(&m);
}

TEST(make)
{
	struct map_make_options o = MAP_MAKE_OPTIONS_INIT;
	struct map_make_counts counts;
	struct buf warnings = BUF_INIT;

	o.warn = note_warning;
	o.arg = &warnings;
	for (size_t i = 0; i < COUNT(built_types); i++) {
		struct diag d = DIAG_INIT;
		struct slice spec = spec_of(built_types[i], "t");

		buf_reset(&warnings);
		write_file("t", "# x\nA one\nb two\n\na three\nbad\nc: colon\n");
		if (CHECK_INT(map_make(spec, &o, &d, &counts), 0, i) < 0)
			printf("# %s\n", d.text);
		CHECK_INT((long long)counts.entries, 3, i);
		CHECK_INT((long long)counts.duplicates, 1, i);
		CHECK_INT((long long)counts.malformed, 1, i);
		CHECK_TEXT(buf_slice(&warnings), "5:duplicate entry: \"a\";"
		    "6:expected \"key value\", with blanks between them;"
		    "7:the key ends in a colon; is this an aliases file, for "
		    "postalias?: \"c:\";", i);
		check_get(spec, 0, "a", "one", i);
		check_get(spec, 0, "A", "one", i);
		check_get(spec, MAP_NO_FOLD, "A", NULL, i);
		check_get(spec, 0, "b", "two", i);
		check_get(spec, 0, "bad", NULL, i);
	}
	buf_free(&warnings);
}

TEST(make_aliases)
{
	struct map_make_options o = MAP_MAKE_OPTIONS_INIT;
	struct buf warnings = BUF_INIT;

	o.syntax = MAP_SYNTAX_ALIASES;
	o.warn = note_warning;
	o.arg = &warnings;
	for (size_t i = 0; i < COUNT(built_types); i++) {
		struct slice spec = spec_of(built_types[i], "al");

		buf_reset(&warnings);
		write_file("al", "Root: alice, bob\n\"Two Words\":carol\n"
		    "spaced : x\nlist: :include:/x,\n \"|cmd: a\"\n"
		    "bad line\nempty:\n\"open: x\n: y\nesc\\:aped: z\n");
		CHECK_INT(map_make(spec, &o, NULL, NULL), 0, i);
		CHECK_TEXT(buf_slice(&warnings),
		    "6:expected \"name: value\";7:the name has no value;"
		    "8:the name has a \" without a second one;"
		    "9:expected \"name: value\";", i);
		check_get(spec, 0, "root", "alice, bob", i);
		check_get(spec, 0, "two words", "carol", i);
		check_get(spec, 0, "spaced", "x", i);
		check_get(spec, 0, "list", ":include:/x, \"|cmd: a\"", i);
		check_get(spec, 0, "esc:aped", "z", i);
	}
	buf_free(&warnings);
}

TEST(add_replace_delete)
{
	struct map_make_options o = MAP_MAKE_OPTIONS_INIT;
	struct buf warnings = BUF_INIT;
	const struct slice keys[] = { S_INIT("A"), S_INIT("none") };
	struct map_make_counts counts;
	size_t deleted;

	o.warn = note_warning;
	o.arg = &warnings;
	for (size_t i = 0; i < COUNT(built_types); i++) {
		struct slice spec = spec_of(built_types[i], "edit");
		int fd;

		buf_reset(&warnings);
		write_file("edit", "a 1\nb 2\n");
		o.add = o.replace = false;
		o.input = -1;
		CHECK_INT(map_make(spec, &o, NULL, NULL), 0, i);
		/* -i: the old entries stay, a known key is warned of */
		fd = open(write_file("input", "b x\nc 3\n"), O_RDONLY);
		o.add = true;
		o.input = fd;
		CHECK_INT(map_make(spec, &o, NULL, &counts), 0, i);
		CHECK_INT((long long)counts.entries, 3, i);
		CHECK_TEXT(buf_slice(&warnings), "1:duplicate entry: \"b\";", i);
		check_get(spec, 0, "b", "2", i);
		check_get(spec, 0, "c", "3", i);
		/* -r */
		lseek(fd, 0, SEEK_SET);
		o.replace = true;
		CHECK_INT(map_make(spec, &o, NULL, NULL), 0, i);
		check_get(spec, 0, "b", "x", i);
		close(fd);
		/* -d */
		CHECK_INT(map_delete(spec, &o, keys, COUNT(keys), NULL,
		    &deleted), 0, i);
		CHECK_INT((long long)deleted, 1, i);
		check_get(spec, 0, "a", NULL, i);
		check_get(spec, 0, "b", "x", i);
	}
	buf_free(&warnings);
}

TEST(options)
{
	for (size_t i = 0; i < COUNT(built_types); i++) {
		struct map_make_options o = MAP_MAKE_OPTIONS_INIT;
		struct buf warnings = BUF_INIT;
		struct slice spec = spec_of(built_types[i], "opt");

		write_file("opt", "Ab 1\nAb 2\n");
		o.no_fold = o.no_nul = o.ignore_duplicates = true;
		o.warn = note_warning;
		o.arg = &warnings;
		CHECK_INT(map_make(spec, &o, NULL, NULL), 0, i);
		CHECK_INT((long long)warnings.len, 0, i);
		check_get(spec, MAP_NO_FOLD, "Ab", "1", i);
		check_get(spec, 0, "Ab", NULL, i);
		buf_free(&warnings);
	}
}

TEST(rights_are_those_of_the_text)
{
	static const struct {
		mode_t	text;
		bool	open_mode;
		mode_t	want;
	} cases[] = {
		{ 0644, false, 0644 },
		{ 0640, false, 0640 },
		{ 0600, false, 0600 },
		{ 0666, false, 0644 },
		{ 0600, true, 0644 },
	};
	struct stat st;

	for (size_t k = 0; k < COUNT(built_types); k++)
		for (size_t i = 0; i < COUNT(cases); i++) {
			struct map_make_options o = MAP_MAKE_OPTIONS_INIT;
			struct slice spec = spec_of(built_types[k], "mode");
			const char *path = write_file("mode", "a b\n");
			char built[4200];

			o.open_mode = cases[i].open_mode;
			chmod(path, cases[i].text);
			CHECK_INT(map_make(spec, &o, NULL, NULL), 0, i);
			snprintf(built, sizeof(built), "%s%s", path,
			    map_type_find(slice_of(built_types[k]))->suffix);
			if (CHECK_INT(stat(built, &st), 0, i) == 0)
				CHECK_INT(st.st_mode & 0777, cases[i].want, i);
		}
}

TEST(root_acts_as_the_owner)	/* the file cannot be put where they cannot */
{
	struct map_make_options o = MAP_MAKE_OPTIONS_INIT;
	struct slice spec = spec_of("hash", "own/t");
	struct diag d = DIAG_INIT;
	char folder[4096];
	const char *path;
	struct stat st;

	if (geteuid() != 0)
		return;
	snprintf(folder, sizeof(folder), "%s/own", test_tmpdir());
	CHECK_INT(mkdir(folder, 0755), 0, 0);
	chmod(test_tmpdir(), 0755);
	path = write_file("own/t", "a b\n");
	CHECK_INT(chown(path, 12345, 12345), 0, 0);
	CHECK_INT(map_make(spec, &o, &d, NULL), -EACCES, 0);
	CHECK_INT(geteuid(), 0, 0);
	CHECK_INT(getegid(), getgid(), 0);
	o.keep_root = true;
	CHECK_INT(map_make(spec, &o, NULL, NULL), 0, 1);
	snprintf(folder, sizeof(folder), "%s.db", path);
	CHECK_INT(stat(folder, &st), 0, 1);
	CHECK_INT(st.st_uid, 12345, 1);
}

TEST(nothing_is_left_of_a_failure)
{
	struct map_make_options o = MAP_MAKE_OPTIONS_INIT;
	struct diag d = DIAG_INIT;
	size_t deleted;

	CHECK_INT(map_make(S("texthash:/x"), &o, &d, NULL), -EOPNOTSUPP, 0);
	CHECK(strstr(d.text, "needs no built file") != NULL, 0);
	d = (struct diag)DIAG_INIT;
	CHECK_INT(map_make(S("cdx:/x"), &o, &d, NULL), -EBADMSG, 1);
	d = (struct diag)DIAG_INIT;
	CHECK_INT(map_make(spec_of("hash", "missing"), &o, &d, NULL), -ENOENT, 2);
	CHECK(strstr(d.text, "/missing: No such file") != NULL, 2);
	d = (struct diag)DIAG_INIT;
	CHECK_INT(map_delete(spec_of("lmdb", "missing"), &o, NULL, 0, &d,
	    &deleted), -ENOENT, 3);
	/* a file of another kind is named, not misread */
	write_file("foreign.db", "this is no database, whatever its name");
	write_file("foreign.lmdb", "this is no database, whatever its name");
	for (size_t i = 0; i < COUNT(built_types); i++) {
		struct map *m = NULL;

		d = (struct diag)DIAG_INIT;
		CHECK(map_open(spec_of(built_types[i], "foreign"), 0, &d, &m) < 0,
		    4 + i);
		CHECK(d.text[0] != '\0', 4 + i);
	}
}

TEST(current_folder_is_not_configuration)	/* CVE-2017-10140 */
{
	struct map_make_options o = MAP_MAKE_OPTIONS_INIT;
	struct slice spec = spec_of("hash", "cwd");
	char old[4096], config[4096];

	write_file("cwd", "a b\n");
	snprintf(config, sizeof(config), "%s",
	    write_file("DB_CONFIG", "this would be refused\n"));
	CHECK(getcwd(old, sizeof(old)) != NULL, 0);
	CHECK_INT(chdir(test_tmpdir()), 0, 0);
	CHECK_INT(map_make(spec, &o, NULL, NULL), 0, 0);
	check_get(spec, 0, "a", "b", 0);
	check_get(S("hash:cwd"), 0, "a", "b", 0);
	CHECK_INT(chdir(old), 0, 0);
	unlink(config);
}

TEST(age_is_noted)
{
	struct map_make_options o = MAP_MAKE_OPTIONS_INIT;
	const char *path = write_file("age", "a b\n");

	for (size_t i = 0; i < COUNT(built_types); i++) {
		struct timespec later[2] = { { 0, 0 }, { 0, 0 } };
		struct slice spec = spec_of(built_types[i], "age");
		struct map *m;

		CHECK_INT(map_make(spec, &o, NULL, NULL), 0, i);
		later[0].tv_sec = later[1].tv_sec = time(NULL) + 100;
		CHECK_INT(utimensat(AT_FDCWD, path, later, 0), 0, i);
		if (CHECK_INT(map_open(spec, 0, NULL, &m), 0, i) == 0) {
			CHECK(map_notice(m) != NULL, i);
			map_close(&m);
		}
	}
}

TEST(files_of_postfix)
{
	static const struct {
		const char	*type;
		const char	*file;
		const char	*key;
		const char	*want;
	} cases[] = {
		{ "hash", "hash", "User@Example.org", "one two" },
		{ "hash", "hash", "b", "first" },
		{ "hash", "hash", "\"quoted key\"@x", "v" },
		{ "hash", "hash", "c", NULL },
		{ "btree", "btree", "User@Example.org", "one two" },
		{ "btree", "btree", "@example.com", "@example.net" },
		{ "btree", "btree", "c", NULL },
		{ "lmdb", "lmdb", "User@Example.org", "one two" },
		{ "lmdb", "lmdb", "b", "first" },
		{ "lmdb", "lmdb", "c", NULL },
		{ "hash", "nonul", "b", "first" },
		{ "hash", "nonul", "a", NULL },
		{ "lmdb", "nonul", "c", "third" },
		{ "lmdb", "nonul", "a", NULL },
		{ "hash", "aliases", "Root", "alice, bob" },
		{ "hash", "aliases", "quoted name", "carol" },
		{ "hash", "aliases", "list", ":include:/tmp/x, \"|/bin/cmd arg\"" },
	};
	struct slice here = slice_of(__FILE__);
	char spec[4200];

	here.len = slice_find_slice(here, S("unit/libglobal/"));
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(spec, sizeof(spec), "%s:%.*sdata/map/%s",
		    cases[i].type, SLICE_ARG(here), cases[i].file);
		check_get(slice_of(spec), 0, cases[i].key, cases[i].want, i);
	}
}

/* postmap_reads - what Postfix's own postmap finds in a file of ours */
static void
postmap_reads(struct slice spec, const char *key, const char *want, size_t row)
{
	char command[8500], line[1000] = "";
	FILE *f;

	snprintf(command, sizeof(command), "postmap -q '%s' '%.*s'", key,
	    SLICE_ARG(spec));
	f = popen(command, "r");
	if (!CHECK(f != NULL, row))
		return;
	if (fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	pclose(f);
	CHECK_TEXT(slice_trim(slice_of(line)), want, row);
}

/* has_postfix - is there a postmap that is not ours, for the type? */
static bool
has_postfix(const char *type)
{
	char command[200];

	snprintf(command, sizeof(command), "postconf -d mail_version 2>&1 | "
	    "grep -q '^mail_version = [23]' && postconf -m | grep -q '^%s$'",
	    type);
	return system(command) == 0;
}

TEST(postfix_reads_ours)	/* its commands are in tests/packages */
{
	struct map_make_options o = MAP_MAKE_OPTIONS_INIT;

	write_file("pf", "User@Example.org one two\nb first\n");
	for (size_t i = 0; i < COUNT(built_types); i++) {
		struct slice spec = spec_of(built_types[i], "pf");

		CHECK_INT(map_make(spec, &o, NULL, NULL), 0, i);
		if (!CHECK(has_postfix(built_types[i]), i))
			continue;
		postmap_reads(spec, "b", "first", i);
		postmap_reads(spec, "user@example.org", "one two", i);
		postmap_reads(spec, "c", "", i);
	}
}
