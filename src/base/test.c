#include "base/test.h"

#include <stdio.h>

static struct test *tests;
static int checks_failed;

void test_register(struct test *test)
{
	test->next = tests;
	tests = test;
}

void test_failed(const char *file, int line, const char *claim)
{
	checks_failed++;
	printf("FAIL %s:%d: %s\n", file, line, claim);
}

void test_check_str(const char *file, int line, const char *what, struct str got,
		    struct str want)
{
	if (str_same(got, want))
		return;
	checks_failed++;
	printf("FAIL %s:%d: %s is \"%.*s\", not \"%.*s\"\n", file, line, what,
	       STR_FMT(got), STR_FMT(want));
}

static bool is_wanted(const struct test *test, const char *filter)
{
	char name[512];

	if (!filter)
		return true;
	(void)snprintf(name, sizeof name, "%s:%s", test->file, test->name);
	return strstr(name, filter) != NULL;
}

int test_run_all(const char *filter)
{
	int passed = 0, failed = 0;

	for (struct test *test = tests; test; test = test->next) {
		if (!is_wanted(test, filter))
			continue;
		int before = checks_failed;

		test->run();
		if (checks_failed == before) {
			passed++;
			continue;
		}
		failed++;
		printf("FAILED %s:%s\n", test->file, test->name);
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed;
}
