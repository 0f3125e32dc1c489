/* SPDX-License-Identifier: ISC */
/*
 * Forged frames, out of the same tables that the daemons are made from: so a
 * message that is added to a table is forged without a word here. An encoder
 * of its own, since that of libtask refuses what is beyond a bound.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "drill.h"
#include "libglobal/ipc_envelope.h"

#define LONG_TEXT	65536u		/* of what may be much longer */
#define MANY		300u		/* of what may be many more */
#define DEEP		4

const char *const drill_flavours[FLAVOURS] = {
	"zero", "extreme", "others", "path", "beyond",
};
const char *const drill_kinds[] = { "note", "call", "reply" };

static char	frame[DRILL_FRAME_MAX];

struct writer {
	size_t			 at;
	enum drill_flavour	 flavour;
	int			 fds[IPC_FDS_MAX];
	int			 fd_count;
	bool			 broken;	/* something is beyond a bound */
};

static void	put_fields(struct writer *w, const struct ipc_desc *d, int depth);

static void
put(struct writer *w, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes && w->at < sizeof(frame); i++)
		frame[w->at++] = (char)(v >> (8 * i));
}

static void
put_bytes(struct writer *w, const char *data, size_t len)
{
	if (len > sizeof(frame) - w->at)
		len = sizeof(frame) - w->at;
	memcpy(frame + w->at, data, len);
	w->at += len;
}

static void
fill(struct writer *w, char c, size_t len)
{
	while (len-- > 0)
		put_bytes(w, &c, 1);
}

static uint64_t
number_of(struct writer *w, const struct ipc_field *f)
{
	uint64_t most = f->type == IPC_U32 ?
	    (f->max != 0 ? f->max : UINT32_MAX) : UINT64_MAX;

	switch (w->flavour) {
	case FLAVOUR_ZERO:
		return 0;
	case FLAVOUR_EXTREME:	/* of a signed one the least is odder */
		return f->type == IPC_I64 ? (uint64_t)INT64_MIN : most;
	case FLAVOUR_OTHERS:
		return 1;
	case FLAVOUR_PATH:
		return most < 0x7fffffff ? most : 0x7fffffff;
	default:
		if (f->type == IPC_U32 && f->max != 0 && f->max < UINT32_MAX) {
			w->broken = true;
			return (uint64_t)f->max + 1;
		}
		return 0;
	}
}

/* others_text - a text that means somebody or something else */
static const char *
others_text(const char *field)
{
	static const struct { const char *field, *text; } rows[] = {
		{ "address", "u2@example.com" },
		{ "recipient", "u2@example.com" },
		{ "sender", "u2@example.com" },
		{ "original", "u2@example.com" },
		{ "login", "u2@example.com" },
		{ "name", "u2@example.com" },
		{ "client_address", "127.0.0.1" },
		{ "program", "master" },
		{ "caller", "tool" },
		{ "protocol", "imap" }, { "mechanism", "PLAIN" },
		{ "transport", "store" }, { "service", "smtp" },
		{ "verb", "password" }, { "kind", "account" },
		{ "map", "texthash:/etc/passwd" }, { "key", "root" },
		{ "queue_id", "4dKz1x0Q2nz3wL" }, { "queue_name", "active" },
		{ "enhanced", "2.0.0" }, { "text", "done" },
	};

	if (strcmp(field, "account") == 0 || strcmp(field, "nexthop") == 0)
		return drill_account();
	if (strcmp(field, "daemon") == 0)
		return strcmp(program_invocation_short_name, "imapd") == 0 ?
		    "smtpd" : "imapd";
	if (strcmp(field, "callee") == 0)
		return drill_wanted();
	if (strcmp(field, "path") == 0)
		return drill_wanted_path();
	if (strcmp(field, "folder") == 0) {
		static char folder[100];

		(void)snprintf(folder, sizeof(folder), "%.2s/%s",
		    drill_account(), drill_account());
		return folder;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(field, rows[i].field) == 0)
			return rows[i].text;
	return "others";
}

static void
put_text(struct writer *w, const struct ipc_field *f, int depth)
{
	static const char	path[] =
				    "../../../../../../../../etc/passwd";
	const char		*text = others_text(f->name);

	if (strcmp(f->name, "envelope") == 0 && w->flavour != FLAVOUR_BEYOND) {
		put_fields(w, &msg_envelope_desc, depth + 1);
		return;
	}
	switch (w->flavour) {
	case FLAVOUR_ZERO:
		break;
	case FLAVOUR_EXTREME:
		fill(w, f->type == IPC_STR ? 'A' : (char)0xff,
		    f->max < LONG_TEXT ? f->max : LONG_TEXT);
		break;
	case FLAVOUR_OTHERS:
		put_bytes(w, text, strlen(text) < f->max ? strlen(text) :
		    f->max);
		break;
	case FLAVOUR_PATH:
		put_bytes(w, path, sizeof(path) - 1 < f->max ?
		    sizeof(path) - 1 : f->max);
		break;
	default:
		if (f->type == IPC_STR) {
			put_bytes(w, "a\0b", 3);
			w->broken = true;
		} else if (f->max < LONG_TEXT) {
			fill(w, 'B', f->max + 1);
			w->broken = true;
		}
		break;
	}
}

static void
put_list(struct writer *w, const struct ipc_field *f, int depth)
{
	uint32_t	n = 0, most = f->max < MANY ? f->max : MANY;

	if (w->flavour == FLAVOUR_BEYOND && f->max < 10000) {
		n = f->max + 1;
		w->broken = true;
	} else if (w->flavour != FLAVOUR_ZERO) {
		n = w->flavour == FLAVOUR_EXTREME && depth == 0 ? most : 1;
	}
	/* long lists of long texts would be longer than any frame may be */
	if (n * (size_t)LONG_TEXT > sizeof(frame) / 4 && w->flavour ==
	    FLAVOUR_EXTREME)
		n = sizeof(frame) / 4 / LONG_TEXT;
	put(w, n, 4);
	for (uint32_t i = 0; i < n; i++) {
		size_t at = w->at;

		put(w, 0, 4);
		if (depth < DEEP)
			put_fields(w, f->record, depth + 1);
		for (int b = 0; b < 4; b++)
			frame[at + (size_t)b] =
			    (char)((w->at - at - 4) >> (8 * b));
	}
}

/* some_fd - a descriptor nobody asked for */
static int
some_fd(enum drill_flavour flavour)
{
	int pair[2], fd = -1;

	if (flavour == FLAVOUR_EXTREME)
		fd = (int)syscall(SYS_memfd_create, "drill", MFD_CLOEXEC);
	if (flavour == FLAVOUR_OTHERS)
		fd = eventfd(0, EFD_CLOEXEC);
	if (fd < 0 && flavour == FLAVOUR_PATH && pipe2(pair, O_CLOEXEC) == 0) {
		(void)close(pair[1]);
		fd = pair[0];
	}
	if (fd < 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    pair) == 0) {
		(void)close(pair[1]);
		fd = pair[0];
	}
	return fd;
}

static void
put_fd(struct writer *w, const struct ipc_field *f)
{
	bool given = f->type == IPC_FD || w->flavour == FLAVOUR_EXTREME ||
	    w->flavour == FLAVOUR_PATH;

	if (w->flavour == FLAVOUR_BEYOND) {	/* said, and not sent */
		put(w, 1, 1);
		w->broken = true;
		return;
	}
	put(w, given, 1);
	if (given && w->fd_count < IPC_FDS_MAX)
		w->fds[w->fd_count++] = some_fd(w->flavour);
}

static void
put_value(struct writer *w, const struct ipc_field *f, int depth)
{
	switch (f->type) {
	case IPC_U32:
		put(w, number_of(w, f), 4);
		break;
	case IPC_U64:
	case IPC_I64:
		put(w, number_of(w, f), 8);
		break;
	case IPC_BOOL:
		if (w->flavour == FLAVOUR_BEYOND)
			w->broken = true;
		put(w, w->flavour == FLAVOUR_BEYOND ? 2 :
		    w->flavour != FLAVOUR_ZERO, 1);
		break;
	case IPC_STR:
	case IPC_BYTES:
		put_text(w, f, depth);
		break;
	case IPC_FD:
	case IPC_OPTFD:
		put_fd(w, f);
		break;
	case IPC_LIST:
		put_list(w, f, depth);
		break;
	}
}

static void
put_fields(struct writer *w, const struct ipc_desc *d, int depth)
{
	for (unsigned i = 0; d->fields[i].name != NULL; i++) {
		size_t at;

		put(w, i + 1, 2);
		at = w->at;
		put(w, 0, 4);
		put_value(w, &d->fields[i], depth);
		for (int b = 0; b < 4; b++)
			frame[at + (size_t)b] =
			    (char)((w->at - at - 4) >> (8 * b));
	}
}

/* send_frame - all of it, or an errno; descriptors go with the first byte */
static int
send_frame(int fd, size_t len, const int *fds, int fd_count)
{
	union {
		struct cmsghdr	align;
		char		space[CMSG_SPACE(IPC_FDS_MAX * sizeof(int))];
	} u = { .space = { 0 } };
	size_t		at = 0;
	int		tries = 0;

	while (at < len) {
		struct iovec iov = { frame + at, len - at };
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
		ssize_t n;

		if (at == 0 && fd_count > 0) {
			m.msg_control = u.space;
			m.msg_controllen =
			    CMSG_SPACE((size_t)fd_count * sizeof(int));
			u.align.cmsg_level = SOL_SOCKET;
			u.align.cmsg_type = SCM_RIGHTS;
			u.align.cmsg_len =
			    CMSG_LEN((size_t)fd_count * sizeof(int));
			memcpy(CMSG_DATA(&u.align), fds,
			    (size_t)fd_count * sizeof(int));
		}
		n = sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			at += (size_t)n;
		else if (errno != EAGAIN || ++tries > 200)
			return -errno;
		else
			(void)usleep(5000);
	}
	return 0;
}

/* say - encode and send; fds: or those that are made up */
static int
say(int fd, const struct ipc_desc *d, struct writer *w, enum drill_kind kind,
    uint32_t request, const int *fds, int fd_count)
{
	struct drill_head	h;
	int			r;

	w->at = DRILL_HEAD;
	put_fields(w, d, 0);
	if (w->at == sizeof(frame))
		return -EMSGSIZE;
	if (fds == NULL) {
		fds = w->fds;
		fd_count = w->fd_count;
	}
	h.length = (uint32_t)(w->at - DRILL_HEAD);
	w->at = 0;
	put(w, h.length, 4);
	put(w, d->number, 2);
	put(w, kind, 1);
	put(w, (uint64_t)fd_count, 1);
	put(w, kind == KIND_NOTE ? 0 : request, 4);
	r = w->flavour == FLAVOUR_BEYOND && !w->broken ? -ENOMSG :
	    send_frame(fd, DRILL_HEAD + h.length, fds, fd_count);
	for (int i = 0; i < w->fd_count; i++)
		(void)close(w->fds[i]);
	return r;
}

int
drill_say(int fd, const struct ipc_desc *d, enum drill_flavour flavour,
    enum drill_kind kind, uint32_t request)
{
	struct writer w = { .flavour = flavour };

	return say(fd, d, &w, kind, request, NULL, 0);
}

int
drill_say_with(int fd, const struct ipc_desc *d, enum drill_flavour flavour,
    enum drill_kind kind, uint32_t request, const int *fds, int fd_count)
{
	struct writer w = { .flavour = flavour };

	return say(fd, d, &w, kind, request, fds, fd_count);
}

/* --- reading */

static uint64_t
get(const char *data, int bytes)
{
	uint64_t v = 0;

	for (int i = bytes; i-- > 0;)
		v = v << 8 | (uint8_t)data[i];
	return v;
}

bool
drill_parse_head(const char *data, size_t len, struct drill_head *ret)
{
	if (len < DRILL_HEAD)
		return false;
	*ret = (struct drill_head){ (uint32_t)get(data, 4),
	    (uint32_t)get(data + 8, 4), (uint16_t)get(data + 4, 2),
	    (uint8_t)data[6], (uint8_t)data[7] };
	return true;
}

/* drill_field - the bytes of a field */
struct slice
drill_field(struct slice body, unsigned place)
{
	size_t at = 0;

	while (at + 6 <= body.len) {
		size_t number = get(body.data + at, 2);
		size_t len = get(body.data + at + 2, 4);

		at += 6;
		if (len > body.len - at)
			break;
		if (number == place + 1)
			return slice_over(body.data + at, len);
		at += len;
	}
	return SLICE_EMPTY;
}

/* drill_describe - name(field=value,...) */
void
drill_describe(const struct ipc_desc *d, struct slice body, char *out,
    size_t room)
{
	size_t at;

	at = (size_t)snprintf(out, room, "%s(", d->name);
	for (unsigned i = 0; d->fields[i].name != NULL && at < room; i++) {
		const struct ipc_field *f = &d->fields[i];
		struct slice v = drill_field(body, i);
		uint64_t value = v.len;

		if (f->type != IPC_STR && f->type != IPC_BYTES)
			value = v.len == 0 ? 0 :
			    get(v.data, v.len > 8 ? 4 : (int)v.len);
		at += (size_t)snprintf(out + at, room - at, "%s%s=%llu",
		    i == 0 ? "" : ",", f->name, (unsigned long long)value);
	}
	if (at + 1 < room)
		(void)snprintf(out + at, room - at, ")");
}
