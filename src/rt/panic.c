#include "rt/panic.h"

#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "rt/fault.h"
#include "rt/task.h"

/* The record: magic u32, signal u32, key u64, length of the operation u32, 4 octets of
 * zero, the operation padded with zeros to PANIC_OPERATION_MAX; in the machine's order,
 * since both ends are the same program. */
struct wire_record {
	uint32_t magic, signal;
	uint64_t key;
	uint32_t operation_len, zero;
	char operation[PANIC_OPERATION_MAX];
};
_Static_assert(sizeof(struct wire_record) == PANIC_RECORD_BYTES, "one size");

enum { MAGIC = 0x43494e50, MARKS_MAX = 4, FRAMES_MAX = 64, STACK_BYTES = 64 * 1024 };

static const int fatal_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

static _Thread_local struct {
	const char *operation;
	uint64_t key;
} marks[MARKS_MAX];
static _Thread_local unsigned mark_count;

static int record_fd = -1, mark_fd = -1;
static int64_t mark_at;
static char mark_byte;
static volatile sig_atomic_t is_reported, are_logs_out;

/* The list that is asked, and the one that the next will be written to. */
static struct poison {
	uint64_t keys[PANIC_POISON_MAX];
	size_t count;
} lists[2];
static _Atomic(const struct poison *) poison = &lists[0];

static void say(struct str text)
{
	ssize_t written = write(STDERR_FILENO, text.ptr, text.len);

	(void)written; /* there is nowhere left to complain */
}

static void write_record(int signal)
{
	struct wire_record record = {.magic = MAGIC, .signal = (uint32_t)signal};

	if (mark_count > 0) {
		unsigned at = mark_count > MARKS_MAX ? MARKS_MAX - 1 : mark_count - 1;
		struct str name =
			str_first(str_c(marks[at].operation), PANIC_OPERATION_MAX);

		record.key = marks[at].key;
		record.operation_len = (uint32_t)name.len;
		memcpy(record.operation, name.ptr, name.len);
		say(STR("while in: "));
		say(name);
		say(STR("\n"));
	}
	if (record_fd < 0)
		return;
	ssize_t written = write(record_fd, &record, sizeof record);
	(void)written; /* the supervisor will see the death anyway */
}

static void write_mark(void)
{
	if (mark_fd < 0)
		return;
	ssize_t written = pwrite(mark_fd, &mark_byte, 1, mark_at);
	(void)written; /* then nobody will know */
}

static void say_stack(void)
{
	void *frames[FRAMES_MAX];
	int count = backtrace(frames, FRAMES_MAX);

	say(STR("stack:\n"));
	backtrace_symbols_fd(frames, count, STDERR_FILENO);
}

static void report(int signal)
{
	if (is_reported)
		return;
	is_reported = 1;
	say(STR("panic report\n"));
	if (task_self()) {
		say(STR("task: "));
		say(str_c(task_name(task_self())));
		say(STR(", "));
		say(str_c(task_description(task_self())));
		say(STR("\n"));
	}
	write_mark();
	write_record(signal);
	if (!are_logs_out)
		log_dump_recent(STDERR_FILENO);
	say_stack();
}

static void on_assertion(void)
{
	are_logs_out = 1; /* panic_at() has written them */
	report(SIGABRT);
}

static void on_signal(int number)
{
	struct sigaction plain = {.sa_handler = SIG_DFL};

	report(number);
	(void)sigaction(number, &plain, NULL);
	(void)raise(number); /* pending until we return; then the process dies of it */
}

void panic_init(int fd)
{
	struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
	void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t alternate = {.ss_sp = stack, .ss_size = STACK_BYTES};
	void *frames[2];

	ASSERT(stack != MAP_FAILED && sigaltstack(&alternate, NULL) == 0);
	record_fd = fd;
	panic_hook = on_assertion;
	(void)backtrace(frames, 2); /* loads what it needs while files may be opened */
	(void)sigemptyset(&act.sa_mask);
	for (size_t i = 0; i < COUNT_OF(fatal_signals); i++)
		(void)sigaction(fatal_signals[i], &act, NULL);
}

void panic_mark(int fd, int64_t at, char mark)
{
	mark_fd = -1;
	mark_at = at;
	mark_byte = mark;
	mark_fd = fd;
}

void panic_begin(const char *operation, uint64_t key)
{
	if (mark_count < MARKS_MAX) {
		marks[mark_count].operation = operation;
		marks[mark_count].key = key;
	}
	mark_count++;
	(void)fault_point(operation); /* it can only die here */
}

void panic_end(void)
{
	ASSERT(mark_count > 0);
	mark_count--;
}

static int key_cmp(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

bool panic_is_poison(uint64_t key)
{
	const struct poison *list = poison;

	return list->count > 0 &&
	       bsearch(&key, list->keys, list->count, sizeof key, key_cmp) != NULL;
}

void panic_set_poison(const uint64_t *keys, size_t count)
{
	struct poison *list = poison == &lists[0] ? &lists[1] : &lists[0];

	list->count = count < PANIC_POISON_MAX ? count : PANIC_POISON_MAX;
	if (list->count > 0) {
		memcpy(list->keys, keys, list->count * sizeof *keys);
		qsort(list->keys, list->count, sizeof *keys, key_cmp);
	}
	poison = list;
}

bool panic_record_parse(struct str bytes, struct panic_record *record)
{
	struct wire_record wire;

	if (bytes.len != sizeof wire)
		return false;
	memcpy(&wire, bytes.ptr, sizeof wire);
	if (wire.magic != MAGIC || wire.operation_len > PANIC_OPERATION_MAX ||
	    wire.signal == 0 || wire.signal >= NSIG)
		return false;
	for (size_t i = 0; i < wire.operation_len; i++) {
		if (wire.operation[i] < ' ' || wire.operation[i] > '~')
			return false;
	}
	*record = (struct panic_record){.signal = (int)wire.signal, .key = wire.key};
	memcpy(record->operation, wire.operation, wire.operation_len);
	return true;
}
