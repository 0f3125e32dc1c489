/* SPDX-License-Identifier: ISC */
/*
 * Functions that cannot be used safely on foreign bytes. The compiler is told
 * to include this header after the system's own (see Makefile.in), so that a
 * call is a compile error. Use slice, buf and cursor instead.
 */
#ifndef LIBUTIL_BANNED_H
#define LIBUTIL_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#undef strcpy
#undef stpcpy
#undef strcat
#undef sprintf
#undef vsprintf
#undef strtok
#undef gets
#undef alloca
#undef strncpy
#undef strncat

#pragma GCC poison strcpy stpcpy strcat sprintf vsprintf strtok gets atoi \
	atol atoll strncpy strncat

#endif
