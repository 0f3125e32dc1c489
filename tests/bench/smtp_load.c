/* SPDX-License-Identifier: ISC */
/*
 * smtp_load - send messages as smtp-source does, one command at a time, over so
 * many sessions at once, to recipients that are numbered. One process for all
 * of them: what the client costs is taken from the servers that are measured.
 *
 *	smtp_load [-k] PORT SESSIONS MESSAGES SIZE SENDER FORMAT RECIPIENTS
 *
 * FORMAT has one %u, for 1..RECIPIENTS. Each recipient gets MESSAGES of them,
 * with -k all over one connection, else over one each.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define REPLY_MAX	2000
#define SESSIONS_MAX	1000
#define REPLY_LIMIT	120	/* s */

static struct {
	uint16_t	 port;
	unsigned	 sessions;
	unsigned	 messages;
	size_t		 size;
	const char	*sender;
	const char	*format;
	unsigned	 recipients;
	bool		 keep;
} job;

static atomic_uint next_recipient = 1;

static void
die(const char *what, const char *detail)
{
	fprintf(stderr, "smtp_load: %s: %s\n", what, detail);
	exit(1);
}

static int
connect_once(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_port = htons(job.port) };
	struct timeval limit = { REPLY_LIMIT, 0 };
	int	one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0)
		die("connect", "no server");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

/* hear - one reply, which must be of that class; "xyz-" lines go before */
static void
hear(int fd, char class, const char *after)
{
	char	reply[REPLY_MAX + 1];
	size_t	len = 0;

	for (;;) {
		ssize_t n = read(fd, reply + len, REPLY_MAX - len);
		char	*last, *line = reply;

		if (n <= 0)
			die(after, "no answer");
		len += (size_t)n;
		reply[len] = '\0';
		if (reply[len - 1] != '\n')
			continue;
		while ((last = strchr(line, '\n')) != NULL && last[1] != '\0')
			line = last + 1;
		if (len < 4 || line[3] == '-')
			continue;
		if (line[0] != class)
			die(after, reply);
		return;
	}
}

static void
say(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n <= 0)
			die("write", "the server has gone");
		bytes += n;
		len -= (size_t)n;
	}
}

static void
command(int fd, char class, const char *format, ...)
{
	char	line[600];
	va_list	ap;
	int	n;

	va_start(ap, format);
	n = vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	say(fd, line, (size_t)n);
	hear(fd, class, format);
}

/* text - a message of the size that was asked for */
static size_t
text(char *out, const char *rcpt, unsigned number)
{
	size_t	len = (size_t)snprintf(out, 2000, "From: <%s>\r\nTo: <%s>\r\n"
	    "Date: Mon, 02 Nov 2026 10:00:00 +0000\r\n"
	    "Message-Id: <%d.%u.%s>\r\nSubject: from smtp_load\r\n\r\n",
	    job.sender, rcpt, (int)getpid(), number, rcpt);

	while (len < job.size) {
		size_t	n = job.size - len < 80 ? job.size - len : 80;

		memset(out + len, 'X', n);
		len += n;
		out[len++] = '\r';
		out[len++] = '\n';
	}
	memcpy(out + len, ".\r\n", 3);
	return len + 3;
}

static int
greet(void)
{
	int	fd = connect_once();

	hear(fd, '2', "the greeting");
	command(fd, '2', "HELO load.example\r\n");
	return fd;
}

static void
leave(int fd)
{
	command(fd, '2', "QUIT\r\n");
	close(fd);
}

/* serve_recipient - all that one recipient gets */
static void
serve_recipient(unsigned which, char *room)
{
	char	rcpt[300];
	int	fd = -1;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(rcpt, sizeof(rcpt), job.format, which);
#pragma GCC diagnostic pop
	for (unsigned i = 0; i < job.messages; i++) {
		size_t	len = text(room, rcpt, i);

		if (fd < 0)
			fd = greet();
		command(fd, '2', "MAIL FROM:<%s>\r\n", job.sender);
		command(fd, '2', "RCPT TO:<%s>\r\n", rcpt);
		command(fd, '3', "DATA\r\n");
		say(fd, room, len);
		hear(fd, '2', "the message");
		if (!job.keep) {
			leave(fd);
			fd = -1;
		}
	}
	if (fd >= 0)
		leave(fd);
}

static void *
session(void *arg)
{
	char	*room = malloc(job.size + 4096);
	unsigned which;

	(void)arg;
	if (room == NULL)
		die("memory", "none");
	while ((which = atomic_fetch_add(&next_recipient, 1)) <=
	    job.recipients)
		serve_recipient(which, room);
	free(room);
	return NULL;
}

int
main(int argc, char **argv)
{
	pthread_t thread[SESSIONS_MAX];

	if (argc > 1 && strcmp(argv[1], "-k") == 0) {
		job.keep = true;
		argv++;
		argc--;
	}
	if (argc != 8)
		die("usage", "smtp_load [-k] PORT SESSIONS MESSAGES SIZE "
		    "SENDER FORMAT RECIPIENTS");
	job.port = (uint16_t)strtoul(argv[1], NULL, 10);
	job.sessions = (unsigned)strtoul(argv[2], NULL, 10);
	job.messages = (unsigned)strtoul(argv[3], NULL, 10);
	job.size = strtoul(argv[4], NULL, 10);
	job.sender = argv[5];
	job.format = argv[6];
	job.recipients = (unsigned)strtoul(argv[7], NULL, 10);
	if (job.sessions == 0 || job.sessions > SESSIONS_MAX)
		die("usage", "1 to 1000 sessions");
	for (unsigned i = 0; i < job.sessions; i++)
		if (pthread_create(&thread[i], NULL, session, NULL) != 0)
			die("thread", "cannot be made");
	for (unsigned i = 0; i < job.sessions; i++)
		(void)pthread_join(thread[i], NULL);
	return 0;
}
