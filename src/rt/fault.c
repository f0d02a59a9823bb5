#include "rt/fault.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "base/log.h"
#include "base/num.h"

enum { FAULTS_MAX = 16, SITE_BYTES = 48, DELAY_MS_MAX = 600 * 1000 };

enum action { ACTION_FAIL, ACTION_KILL, ACTION_CRASH, ACTION_DELAY, ACTION_WRITE };

struct fault {
	char site[SITE_BYTES];
	unsigned nth, passed;
	bool also_later;
	enum action action;
	int number; /* errno, milliseconds, or FAULT_SHORT, FAULT_TORN */
};

bool fault_is_armed;

static struct fault faults[FAULTS_MAX];
static size_t fault_total;

static void sleep_ms(int milliseconds)
{
	struct timespec rest = {milliseconds / 1000, milliseconds % 1000 * 1000000L};

	while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
		;
}

static int act(const struct fault *fault)
{
	switch (fault->action) {
	case ACTION_FAIL:
	case ACTION_WRITE:
		return fault->number;
	case ACTION_KILL:
		(void)raise(SIGKILL); /* does not return */
		return 0;
	case ACTION_CRASH:
		(void)raise(SIGSEGV); /* neither */
		return 0;
	case ACTION_DELAY:
		sleep_ms(fault->number);
		return 0;
	}
	return 0;
}

int fault_hit(const char *site)
{
	for (size_t i = 0; i < fault_total; i++) {
		struct fault *fault = &faults[i];

		if (strcmp(fault->site, site) != 0)
			continue;
		unsigned nth = __atomic_add_fetch(&fault->passed, 1, __ATOMIC_RELAXED);
		int result = 0;

		if (nth == fault->nth || (nth > fault->nth && fault->also_later))
			result = act(fault);
		if (result != 0)
			return result;
	}
	return 0;
}

static bool parse_action(struct str text, struct fault *fault)
{
	static const struct {
		struct str name;
		enum action action;
		int number;
	} actions[] = {
		{{"EIO", 3}, ACTION_FAIL, EIO},
		{{"ENOSPC", 6}, ACTION_FAIL, ENOSPC},
		{{"EDQUOT", 6}, ACTION_FAIL, EDQUOT},
		{{"EMFILE", 6}, ACTION_FAIL, EMFILE},
		{{"ENOMEM", 6}, ACTION_FAIL, ENOMEM},
		{{"EINTR", 5}, ACTION_FAIL, EINTR},
		{{"EACCES", 6}, ACTION_FAIL, EACCES},
		{{"kill", 4}, ACTION_KILL, 0},
		{{"crash", 5}, ACTION_CRASH, 0},
		{{"short", 5}, ACTION_WRITE, FAULT_SHORT},
		{{"torn", 4}, ACTION_WRITE, FAULT_TORN},
	};
	uint64_t delay_ms;

	for (size_t i = 0; i < COUNT_OF(actions); i++)
		if (str_same(text, actions[i].name)) {
			fault->action = actions[i].action;
			fault->number = actions[i].number;
			return true;
		}
	if (!str_starts(text, STR("delay=")) ||
	    !num_parse(str_skip(text, 6), DELAY_MS_MAX, &delay_ms))
		return false;
	fault->action = ACTION_DELAY;
	fault->number = (int)delay_ms;
	return true;
}

static bool parse(struct str text, struct fault *fault)
{
	struct str site = str_cut(&text, ':'), nth = str_cut(&text, ':');
	uint64_t number;

	*fault = (struct fault){.also_later = str_ends(nth, STR("+"))};
	if (fault->also_later)
		nth.len--;
	if (site.len == 0 || !str_to_c(site, fault->site, sizeof fault->site))
		return false;
	if (!num_parse(nth, UINT32_MAX, &number) || number == 0)
		return false;
	fault->nth = (unsigned)number;
	return parse_action(text, fault);
}

bool fault_arm(struct str spec)
{
	while (spec.len > 0) {
		struct str one = str_cut(&spec, ',');

		if (fault_total == FAULTS_MAX || !parse(one, &faults[fault_total]))
			return false;
		fault_total++;
		fault_is_armed = true;
		LOG(WARN, "fault armed", KV_STR("spec", one));
	}
	return true;
}

void fault_disarm(void)
{
	fault_is_armed = false;
	fault_total = 0;
}

unsigned fault_count(const char *site)
{
	for (size_t i = 0; i < fault_total; i++)
		if (strcmp(faults[i].site, site) == 0)
			return __atomic_load_n(&faults[i].passed, __ATOMIC_RELAXED);
	return 0;
}
