/* The words every file may use: err_t, TRY, SCOPED, ASSERT.  Floor 0. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The class of a failure; what exactly went wrong is logged where it happened. */
typedef enum err {
	OK = 0,
	ERR_CLOSED,   /* the peer is gone */
	ERR_TIMEOUT,  /* a deadline passed */
	ERR_CANCELED, /* the task was told to stop */
	ERR_LIMIT,    /* a bound of ours was reached */
	ERR_IO,       /* the operating system refused */
	ERR_SYNTAX,   /* the bytes do not follow their grammar, or are damaged */
	ERR_ABSENT,   /* there is no such thing */
	ERR_DENIED,   /* it may not be done by this caller */
} err_t;

/* The class as a word for logs and people: "timed out", "limit reached". */
const char *err_text(err_t err);

/* What must hold if the program is right; always compiled in.  Writes the panic report
 * and stops the process. */
#define ASSERT(claim)                                                                    \
	do {                                                                             \
		if (__builtin_expect(!(claim), 0))                                       \
			panic_at(#claim, __FILE__, __LINE__);                            \
	} while (0)

__attribute__((noreturn)) void panic_at(const char *claim, const char *file, int line);
/* Called once by panic_at() before the process stops, to add what a later floor knows
 * (session, stack).  It must not allocate. */
extern void (*panic_hook)(void);

/* Leave the function with the failure, if it is one. */
#define TRY(expr)                                                                        \
	do {                                                                             \
		err_t try_err_ = (expr);                                                 \
		if (try_err_ != OK)                                                      \
			return try_err_;                                                 \
	} while (0)

/* Destroys the variable when its scope ends; every destructor takes T ** and nulls it. */
#define SCOPED(destroy) __attribute__((cleanup(destroy)))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define PRINTF_LIKE(format_at, args_at)                                                  \
	__attribute__((format(printf, format_at, args_at)))
/* The struct of this type whose member is at ptr. */
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
