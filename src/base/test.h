/* Unit tests register themselves; one runner (tests/unit.c) runs them all and adds up.
 *
 *   TEST(refuses_a_bare_cr) { CHECK(!parse(STR("\r"))); }
 *
 * The name says the promise.  A failed CHECK is printed and counted; the test goes on. */
#pragma once

#include "base/str.h"

struct test {
	const char *file, *name;
	void (*run)(void);
	struct test *next;
};

void test_register(struct test *test);
/* Runs those whose "file:name" contains filter; returns how many failed and prints them
 * and the closing line "N passed, N failed". */
int test_run_all(const char *filter);
void test_failed(const char *file, int line, const char *claim);

#define TEST(title)                                                                      \
	static void test_##title(void);                                                  \
	static struct test test_entry_##title = {__FILE__, #title, test_##title, NULL};  \
	__attribute__((constructor)) static void test_register_##title(void)             \
	{                                                                                \
		test_register(&test_entry_##title);                                      \
	}                                                                                \
	static void test_##title(void)

#define CHECK(claim)                                                                     \
	do {                                                                             \
		if (!(claim))                                                            \
			test_failed(__FILE__, __LINE__, #claim);                         \
	} while (0)
#define CHECK_STR(got, want) test_check_str(__FILE__, __LINE__, #got, (got), (want))

void test_check_str(const char *file, int line, const char *what, struct str got,
		    struct str want);
