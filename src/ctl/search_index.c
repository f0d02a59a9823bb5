/* "store index": how far the search index is. */
#include <jansson.h>

#include "ctl/word.h"
#include "rt/progress.h"
#include "rt/task.h"
#include "store/search.h"

enum { LOOK_MS = 1000 };

static void say(struct ctl *ctl, const struct index_state *state)
{
	const struct {
		const char *name, *text;
		uint64_t value;
	} figures[] = {
		{"messages", "messages in the search index", state->messages},
		{"waiting", "messages that are not in it yet", state->waiting},
		{"left_out", "messages that are not for it, and looked through instead",
		 state->left_out},
		{"accounts", "accounts", state->accounts},
		{"segments", "segments", state->segments},
		{"bytes", "octets of it on disk", state->bytes},
	};

	ctl->json = json_object();
	for (size_t i = 0; i < COUNT_OF(figures); i++) {
		buf_printf(&ctl->out, "%16llu  %s\n",
			   (unsigned long long)figures[i].value, figures[i].text);
		(void)json_object_set_new(ctl->json, figures[i].name,
					  json_integer((json_int_t)figures[i].value));
	}
}

/* Until nothing waits, or nothing goes on. */
static enum store_outcome wait_for_all(struct ctl *ctl, struct index_state *state)
{
	struct progress progress = {0};
	enum store_outcome outcome = store_index_state(ctl->store, state);

	while (outcome == STORE_OK && state->waiting > 0) {
		uint64_t done = state->messages + state->left_out;

		progress_tell(&progress, "indexing", done, done + state->waiting);
		if (task_sleep_ms(LOOK_MS) != OK)
			break;
		outcome = store_index_state(ctl->store, state);
	}
	progress_end(&progress);
	return outcome;
}

void search_index(struct ctl *ctl)
{
	struct str word = ctl->word_count > 0 ? ctl->words[0] : STR("");
	struct index_state state;
	enum store_outcome outcome = STORE_OK;

	if (word.len > 0 && !str_same(word, STR("wait")) &&
	    !str_same(word, STR("renew"))) {
		ctl_fail(ctl,
			 "\"%.*s\" is not known here.\nNothing was done.\nSay wait, "
			 "renew, or nothing.",
			 STR_FMT(word));
		return;
	}
	if (str_same(word, STR("renew")))
		outcome = store_index_renew(ctl->store);
	if (outcome == STORE_OK)
		outcome = str_same(word, STR("wait"))
				  ? wait_for_all(ctl, &state)
				  : store_index_state(ctl->store, &state);
	if (outcome == STORE_OK)
		say(ctl, &state);
	else if (outcome == STORE_ABSENT)
		ctl_fail(ctl, "There is no search index; its file cannot be opened.\n"
			      "Searches look through all mail, and find the same.\n"
			      "The log says why; with room on the disk, start again.");
	else
		ctl_fail_store(ctl, outcome);
}
