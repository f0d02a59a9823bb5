#include "rt/panic.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "rt/task.h"

/* Dies in a child process; what it said, and how it ended. */
static int crash(void (*die)(void), char *said, size_t said_max,
		 struct panic_record *record, bool *is_recorded)
{
	int text[2], facts[2], status = 0;
	char bytes[PANIC_RECORD_BYTES + 1];

	CHECK(pipe(text) == 0 && pipe(facts) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		(void)dup2(text[1], STDERR_FILENO);
		(void)close(text[0]);
		(void)close(facts[0]);
		panic_init(facts[1]);
		die();
		_exit(0);
	}
	(void)close(text[1]);
	(void)close(facts[1]);
	size_t len = 0;
	for (ssize_t n; len < said_max - 1; len += (size_t)n) {
		n = read(text[0], said + len, said_max - 1 - len);
		if (n <= 0)
			break;
	}
	said[len] = '\0';
	ssize_t got = read(facts[0], bytes, sizeof bytes);
	*is_recorded =
		got > 0 && panic_record_parse((struct str){bytes, (size_t)got}, record);
	CHECK(waitpid(pid, &status, 0) == pid);
	(void)close(text[0]);
	(void)close(facts[0]);
	return status;
}

static void parse_badly(void *arg)
{
	task_describe(STR("session 7"));
	panic_begin("mail parse", 0x1234);
	*(volatile char *)arg = 1;
}

static void by_segfault(void)
{
	loop_init();
	(void)task_start("test", parse_badly, NULL);
	loop_run();
}

static void by_assertion(void)
{
	panic_begin("outer", 1);
	panic_begin("inner", 2);
	panic_end();
	ASSERT(1 + 1 == 3);
}

static volatile unsigned depth_max = UINT32_MAX;
static unsigned dive(unsigned depth)
{
	volatile char pad[4096];

	pad[0] = (char)depth;
	return depth < depth_max ? dive(depth + 1) + (unsigned)pad[0] : 0;
}

static void by_stack_overflow(void)
{
	(void)dive(1);
}

TEST(says_what_it_was_doing_when_it_dies)
{
	static char said[256 * 1024];
	struct panic_record record;
	bool is_recorded;
	int status = crash(by_segfault, said, sizeof said, &record, &is_recorded);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	CHECK(is_recorded && record.signal == SIGSEGV && record.key == 0x1234);
	CHECK_STR(str_c(record.operation), STR("mail parse"));
	CHECK(strstr(said, "task: test, session 7\n"));
	CHECK(strstr(said, "while in: mail parse\n"));
	CHECK(strstr(said, "last log records:"));
	CHECK(strstr(said, "stack:\n"));
}

TEST(blames_the_innermost_stretch_for_an_assertion)
{
	static char said[256 * 1024];
	struct panic_record record;
	bool is_recorded;
	int status = crash(by_assertion, said, sizeof said, &record, &is_recorded);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	CHECK(is_recorded && record.key == 1);
	CHECK_STR(str_c(record.operation), STR("outer"));
	CHECK(strstr(said, "1 + 1 == 3"));
	char *first = strstr(said, "panic report\n");
	CHECK(first && !strstr(first + 1, "panic report\n"));
}

TEST(reports_an_overflowing_stack_too)
{
	static char said[256 * 1024];
	struct panic_record record;
	bool is_recorded;
	int status = crash(by_stack_overflow, said, sizeof said, &record, &is_recorded);

	CHECK(WIFSIGNALED(status));
	CHECK(is_recorded && record.signal == SIGSEGV);
	CHECK_STR(str_c(record.operation), STR(""));
}

TEST(knows_poison_by_its_key)
{
	const uint64_t keys[] = {9, 3, UINT64_MAX};

	CHECK(!panic_is_poison(3));
	panic_set_poison(keys, COUNT_OF(keys));
	CHECK(panic_is_poison(3) && panic_is_poison(9) && panic_is_poison(UINT64_MAX));
	CHECK(!panic_is_poison(4) && !panic_is_poison(0));
	panic_set_poison(NULL, 0);
	CHECK(!panic_is_poison(3));
}

TEST(does_not_believe_a_damaged_record)
{
	char bytes[PANIC_RECORD_BYTES] = {0};
	struct panic_record record;

	CHECK(!panic_record_parse((struct str){bytes, sizeof bytes}, &record));
	CHECK(!panic_record_parse((struct str){bytes, 3}, &record));
	memcpy(bytes, "PNIC\x0b", 5);
	CHECK(panic_record_parse((struct str){bytes, sizeof bytes}, &record));
	bytes[16] = 1; /* an operation of one octet, a control character */
	bytes[24] = '\n';
	CHECK(!panic_record_parse((struct str){bytes, sizeof bytes}, &record));
	bytes[16] = 41;
	CHECK(!panic_record_parse((struct str){bytes, sizeof bytes}, &record));
}
