/* SPDX-License-Identifier: ISC */
#include "libtask/memfile.h"

#include "test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

TEST(memfile_append)
{
	struct memfile m = MEMFILE_INIT;
	struct iovec iov[3] = {
		{ (char []){ 'b', 'c' }, 2 }, { NULL, 0 },
		{ (char []){ 'd' }, 1 },
	};
	struct buf b = BUF_INIT;

	memfile_done(&m);
	CHECK_INT(memfile_new("test", 6, &m), 0, 0);
	CHECK_INT(memfile_append(&m, S("a")), 0, 0);
	CHECK_INT(memfile_appendv(&m, iov, 3), 0, 0);
	CHECK_INT(memfile_append(&m, S("efg")), -EMSGSIZE, 0);
	CHECK_INT(memfile_appendv(&m, iov, 3), -EMSGSIZE, 0);
	CHECK_INT(memfile_append(&m, S("ef")), 0, 0);
	CHECK_INT(memfile_write_at(&m, 1, S("BC")), 0, 0);
	CHECK_INT(memfile_write_at(&m, 5, S("xx")), -ERANGE, 0);
	CHECK_INT(memfile_truncate(&m, 7), -ERANGE, 0);
	CHECK_INT(memfile_truncate(&m, 5), 0, 0);
	CHECK_INT((long long)m.size, 5, 0);
	CHECK_INT(memfile_read_buf(m.fd, 0, 5, &b), 0, 0);
	CHECK_TEXT(buf_slice(&b), "aBCde", 0);
	CHECK_INT(memfile_read_buf(m.fd, 3, 3, &b), -ENODATA, 0);
	CHECK_INT((long long)b.len, 5, 0);
	buf_free(&b);
	memfile_done(&m);
}

TEST(memfile_seal_is_final)
{
	struct memfile m = MEMFILE_INIT;
	enum memfile_kind kind;
	uint64_t size;
	struct slice content;
	char c = 'x';
	int fd;

	CHECK_INT(memfile_new("test", 1000, &m), 0, 0);
	CHECK_INT(memfile_append(&m, S("hello")), 0, 0);
	CHECK_INT(memfile_check(m.fd, 1000, &kind, &size), -EPERM, 0);
	CHECK_INT(memfile_map(m.fd, &content), -EPERM, 0);
	CHECK_INT(memfile_seal(&m), 0, 0);
	CHECK_INT(memfile_seal(&m), 0, 0);
	CHECK_INT(memfile_append(&m, S("x")), -EPERM, 0);
	CHECK_INT(memfile_write_at(&m, 0, S("x")), -EPERM, 0);
	CHECK_INT(memfile_truncate(&m, 1), -EPERM, 0);
	CHECK(pwrite(m.fd, &c, 1, 0) < 0 && errno == EPERM, 0);
	CHECK(pwrite(m.fd, &c, 1, 5) < 0 && errno == EPERM, 1);
	CHECK(ftruncate(m.fd, 0) < 0 && errno == EPERM, 2);
	CHECK(mmap(NULL, 5, PROT_READ | PROT_WRITE, MAP_SHARED, m.fd, 0) ==
	    MAP_FAILED, 3);
	CHECK_INT(memfile_check(m.fd, 4, &kind, &size), -EMSGSIZE, 0);
	CHECK_INT(memfile_check(m.fd, 5, &kind, &size), 0, 0);
	CHECK(kind == MEMFILE_SEALED && size == 5, 0);
	CHECK_INT(memfile_map(m.fd, &content), 0, 0);
	CHECK_TEXT(content, "hello", 0);
	memfile_unmap(&content);
	memfile_unmap(&content);

	fd = memfile_take_fd(&m);
	CHECK_INT(m.fd, -1, 0);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC, 0);
	close(fd);
	memfile_done(&m);
}

TEST(memfile_empty)
{
	struct memfile m = MEMFILE_INIT;
	struct slice content = S("x");

	CHECK_INT(memfile_new("test", 0, &m), 0, 0);
	CHECK_INT(memfile_append(&m, SLICE_EMPTY), 0, 0);
	CHECK_INT(memfile_seal(&m), 0, 0);
	CHECK_INT(memfile_map(m.fd, &content), 0, 0);
	CHECK_INT((long long)content.len, 0, 0);
	memfile_done(&m);
}

/* what another process may hand over instead of content */
TEST(memfile_check_refuses)
{
	static const struct {
		const char	*path;		/* NULL: a file of our own */
		int		 flags;
		int		 want;
	} cases[] = {
		{ "/",		O_RDONLY | O_DIRECTORY,	-EINVAL },
		{ "/dev/zero",	O_RDONLY,		-EINVAL },
		{ NULL,		O_RDWR,			-EPERM },
		{ NULL,		O_WRONLY,		-EBADF },
		{ NULL,		O_PATH,			-EBADF },
		{ NULL,		O_RDONLY,		0 },
	};
	char own[512];
	enum memfile_kind kind;
	uint64_t size;
	struct slice content;
	int fd, p[2];

	(void)snprintf(own, sizeof(own), "%s/f", test_tmpdir());
	fd = open(own, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	CHECK(write(fd, "abc", 3) == 3, 0);
	close(fd);
	for (size_t i = 0; i < COUNT(cases); i++) {
		fd = open(cases[i].path == NULL ? own : cases[i].path,
		    cases[i].flags | O_CLOEXEC);
		CHECK(fd >= 0, i);
		if (CHECK_INT(memfile_check(fd, 10, &kind, &size),
		    cases[i].want, i) == 0)
			CHECK(kind == MEMFILE_DISK && size == 3, i);
		CHECK(memfile_map(fd, &content) < 0, i);
		close(fd);
	}
	CHECK(pipe2(p, O_CLOEXEC) == 0, 0);
	CHECK_INT(memfile_check(p[0], 10, &kind, &size), -EINVAL, 0);
	close(p[0]);
	close(p[1]);
	CHECK_INT(memfile_check(p[0], 10, &kind, &size), -EBADF, 0);
}
