/* SPDX-License-Identifier: ISC */
/*
 * Stack switching. The three routines are Boost.Context's assembly, whose
 * header is C++ only, so they are declared here; the address sanitizer and
 * valgrind are told of every stack and switch. task.c is the one user.
 */
#ifndef LIBTASK_CONTEXT_H
#define LIBTASK_CONTEXT_H

#include <stddef.h>

struct context_transfer {
	void	*from;		/* the context that jumped here */
	void	*data;
};

void	*make_fcontext(void *stack_top, size_t size,
	    void (*entry)(struct context_transfer));
struct context_transfer	jump_fcontext(void *to, void *data);

#if BARID_SANITIZERS
void	__sanitizer_start_switch_fiber(void **fake_save, const void *bottom,
	    size_t size);
void	__sanitizer_finish_switch_fiber(void *fake_save, const void **bottom_old,
	    size_t *size_old);
void	__asan_unpoison_memory_region(const volatile void *low, size_t size);
#define CONTEXT_SWITCH_START(save, bottom, size) \
	__sanitizer_start_switch_fiber((save), (bottom), (size))
#define CONTEXT_SWITCH_FINISH(save, bottom, size) \
	__sanitizer_finish_switch_fiber((save), (bottom), (size))
/* whatever is mapped at the same place next is no stack */
#define CONTEXT_STACK_FORGET(low, size) \
	__asan_unpoison_memory_region((low), (size))
#else
#define CONTEXT_SWITCH_START(save, bottom, size)	((void)(save))
#define CONTEXT_SWITCH_FINISH(save, bottom, size)	((void)(save))
#define CONTEXT_STACK_FORGET(low, size)			((void)(low))
#endif

#if HAVE_VALGRIND
#include <valgrind/valgrind.h>
#define CONTEXT_STACK_REGISTER(low, high)	VALGRIND_STACK_REGISTER((low), (high))
#define CONTEXT_STACK_DEREGISTER(id)		VALGRIND_STACK_DEREGISTER(id)
#else
#define CONTEXT_STACK_REGISTER(low, high)	0
#define CONTEXT_STACK_DEREGISTER(id)		((void)(id))
#endif

#endif
