#include "rt/fibre.h"

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/common_interface_defs.h>
#define HAS_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#include <sanitizer/tsan_interface.h>
#define HAS_TSAN 1
#endif

/* The two sides of the change under way. */
static struct fibre *leaving, *entering;

/* Inline, because TSan notes each entry and exit of a function for its fibre. */
static inline __attribute__((always_inline)) void
departing(struct fibre *from, struct fibre *to, bool for_ever)
{
	leaving = from;
	entering = to;
#ifdef HAS_ASAN
	__sanitizer_start_switch_fiber(for_ever ? NULL : &from->fake_stack, to->bottom,
				       to->size);
#endif
#ifdef HAS_TSAN
	if (!from->thread)
		from->thread = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(to->thread, 0);
#endif
	(void)for_ever; /* only the sanitizers care */
}

static inline __attribute__((always_inline)) void arrived(void)
{
#ifdef HAS_ASAN
	__sanitizer_finish_switch_fiber(entering->fake_stack, &leaving->bottom,
					&leaving->size);
	entering->fake_stack = NULL;
#endif
}

static void start(void)
{
	arrived();
	entering->run(entering->arg);
	panic_at("a fibre ends by fibre_end()", __FILE__, __LINE__);
}

void fibre_init(struct fibre *fibre, void *bottom, size_t size, void (*run)(void *),
		void *arg)
{
	*fibre = (struct fibre){.bottom = bottom, .size = size, .run = run, .arg = arg};
	fibre->sp = fibre_first_registers(bottom, size, start);
#ifdef HAS_TSAN
	fibre->thread = __tsan_create_fiber(0);
#endif
}

void fibre_switch(struct fibre *from, struct fibre *to)
{
	departing(from, to, false);
	fibre_registers(&from->sp, to->sp);
	arrived();
#ifdef HAS_TSAN
	if (leaving->sp == NULL)
		__tsan_destroy_fiber(leaving->thread);
#endif
}

void fibre_end(struct fibre *from, struct fibre *to)
{
	static void *nowhere;

	departing(from, to, true);
	from->sp = NULL;
	fibre_registers(&nowhere, to->sp);
	__builtin_unreachable();
}
