#include "deliverd/arrivals.h"

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "deliver/deliver.h"
#include "directory/directory.h"
#include "report/dmarc_report.h"
#include "rt/task.h"
#include "tlspolicy/arrived.h"

enum {
	TRIES = 5,
	PAUSE_MS = 10 * 1000,
	LOOK_UP_BYTES = 64 * 1024,
	LABELS_MAX = 10, /* of a domain, of which one may be ours */
	ID_MAX = 64,
};

struct arrival {
	struct list_link in_waiting;
	struct buf mail;
	char id[ID_MAX]; /* the queue id */
};

struct arrivals {
	const struct directory *directory;
	struct str address;
	struct list waiting;
	size_t count, bytes;
	bool is_working;
};

struct arrivals *arrivals_open(const struct directory *directory, struct str address)
{
	if (address.len == 0)
		return NULL;
	struct arrivals *arrivals = NEW(struct arrivals);

	arrivals->directory = directory;
	arrivals->address = address;
	return arrivals;
}

static void arrival_free(struct arrivals *arrivals, struct arrival *arrival)
{
	list_remove(&arrivals->waiting, &arrival->in_waiting);
	arrivals->count--;
	arrivals->bytes -= arrival->mail.len;
	buf_fini(&arrival->mail);
	mem_free(arrival);
}

void arrivals_close(struct arrivals **arrivals)
{
	if (!*arrivals)
		return;
	LIST_EACH(&(*arrivals)->waiting, link)
	arrival_free(*arrivals, CONTAINER_OF(link, struct arrival, in_waiting));
	mem_free(*arrivals);
	*arrivals = NULL;
}

/* ---- one report -------------------------------------------------------------------- */

/* Whether it tells of a domain of ours, or of one below.  What strangers tell of others
 * is nothing to keep. */
static enum directory_find find(const struct arrivals *arrivals, struct str domain)
{
	SCOPED(arena_fini) struct arena arena;
	struct directory_entry entry;
	enum directory_find found = DIRECTORY_FOREIGN;

	arena_init(&arena, LOOK_UP_BYTES);
	for (int i = 0; i < LABELS_MAX && domain.len > 0 && found == DIRECTORY_FOREIGN;
	     i++) {
		found = directory_find(arrivals->directory, STR("postmaster"), domain,
				       &arena, &entry);
		(void)str_cut(&domain, '.');
	}
	return found;
}

static enum kept_outcome put(const struct arrivals *arrivals, const struct kept *kept,
			     struct arena *arena)
{
	enum directory_find found = find(arrivals, kept->domain);

	if (found == DIRECTORY_FOREIGN)
		return KEPT_UNUSUAL;
	if (found == DIRECTORY_UNKNOWN)
		return KEPT_LATER;
	return kept_put(arrivals->directory->store, kept, arena);
}

static const char *outcome_text(enum kept_outcome outcome)
{
	switch (outcome) {
	case KEPT_NEW:
		return "kept";
	case KEPT_BEFORE:
		return "kept before";
	case KEPT_UNUSUAL:
		return "not about a domain of ours, or a day that is kept";
	case KEPT_MANY:
		return "too many of that day";
	case KEPT_LATER:
		break;
	}
	return "the store is away";
}

static void keep(const struct arrivals *arrivals, const struct arrival *arrival,
		 const struct kept *kept)
{
	enum kept_outcome outcome = KEPT_LATER;

	for (int i = 0; i < TRIES && outcome == KEPT_LATER; i++) {
		SCOPED(arena_fini) struct arena arena;

		arena_init(&arena, DMARC_REPORT_ARENA_MAX);
		if (i > 0 && task_sleep_ms(PAUSE_MS) != OK)
			break;
		outcome = put(arrivals, kept, &arena);
	}
	LOG(INFO, "report came", KV_STR("queue_id", str_c(arrival->id)),
	    KV_STR("host", kept->domain), KV("outcome", outcome_text(outcome)));
}

static void look_at(const struct arrivals *arrivals, const struct arrival *arrival)
{
	SCOPED(arena_fini) struct arena arena;
	struct kept *list;
	size_t count;

	arena_init(&arena, DMARC_REPORT_ARENA_MAX);
	switch (arrived_read(buf_str(&arrival->mail), &arena, &list, &count)) {
	case ARRIVED_REPORT:
		break;
	case ARRIVED_OTHER:
		return;
	case ARRIVED_BAD:
		LOG(INFO, "report cannot be read",
		    KV_STR("queue_id", str_c(arrival->id)));
		return;
	}
	for (size_t i = 0; i < count && !task_is_canceled(); i++)
		keep(arrivals, arrival, &list[i]);
}

static void work(void *arg)
{
	struct arrivals *arrivals = arg;

	while (!task_is_canceled() && !list_is_empty(&arrivals->waiting)) {
		struct arrival *arrival =
			CONTAINER_OF(arrivals->waiting.first, struct arrival, in_waiting);

		look_at(arrivals, arrival);
		arrival_free(arrivals, arrival);
		task_yield();
	}
	arrivals->is_working = false;
}

/* ---- what comes -------------------------------------------------------------------- */

static bool is_for(const struct arrivals *arrivals, const struct deliver_mail *mail)
{
	for (size_t i = 0; i < mail->rcpt_count; i++)
		if (str_same_nocase(mail->rcpts[i].address, arrivals->address))
			return true;
	return false;
}

void arrivals_offer(struct arrivals *arrivals, const struct deliver_mail *mail)
{
	if (!arrivals || mail->source != DELIVER_STRANGER || !is_for(arrivals, mail))
		return;
	if (arrivals->count == ARRIVALS_MAX || mail->text.len > ARRIVAL_BYTES_MAX ||
	    mail->text.len > ARRIVALS_BYTES_MAX - arrivals->bytes) {
		LOG(INFO, "report not looked at", KV_STR("queue_id", mail->id),
		    KV_INT("bytes", mail->text.len), KV_INT("count", arrivals->count));
		return;
	}
	struct arrival *arrival = NEW(struct arrival);

	arrival->mail = BUF(ARRIVAL_BYTES_MAX);
	buf_add(&arrival->mail, mail->text);
	(void)str_to_c(mail->id, arrival->id, sizeof arrival->id); /* for the log */
	list_add_last(&arrivals->waiting, &arrival->in_waiting);
	arrivals->count++;
	arrivals->bytes += arrival->mail.len;
	if (!arrivals->is_working)
		arrivals->is_working = task_start("reports", work, arrivals);
}
