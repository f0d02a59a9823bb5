#include <errno.h>
#include <unistd.h>

#include <jansson.h>

#include "ctl/report_say.h"
#include "report/received.h"
#include "tlspolicy/arrived.h"

enum { LISTED_MAX = 20000 };

static const char *const kinds[] = {[KEPT_DMARC] = "dmarc", [KEPT_TLS] = "tls"};

/* ---- keep -------------------------------------------------------------------------- */

static json_t *kept_json(const struct kept *kept)
{
	return json_pack("{s:s,s:o,s:o,s:o,s:I,s:I,s:I,s:I}", "kind", kinds[kept->kind],
			 "domain", ctl_json(kept->domain), "organization",
			 ctl_json(kept->organization), "id", ctl_json(kept->id), "begin",
			 (json_int_t)kept->begin, "end", (json_int_t)kept->end, "good",
			 (json_int_t)kept->good, "bad", (json_int_t)kept->bad);
}

static const char *outcome_text(enum kept_outcome outcome)
{
	switch (outcome) {
	case KEPT_NEW:
		return "kept";
	case KEPT_BEFORE:
		return "was kept before";
	case KEPT_UNUSUAL:
		return "not kept: it names no domain, no id, or no day of the last 400";
	case KEPT_MANY:
		return "not kept: there are 200 of that domain and day already";
	case KEPT_LATER:
		break;
	}
	return "not kept: the store cannot do it now; try again in a minute";
}

static void keep_one(struct ctl *ctl, struct str path, const struct kept *kept)
{
	SCOPED(arena_fini) struct arena arena;

	arena_init(&arena, DMARC_REPORT_ARENA_MAX);
	enum kept_outcome outcome = kept_put(ctl->store, kept, &arena);
	json_t *told = kept_json(kept);

	(void)json_object_set_new(told, "file", ctl_json(path));
	(void)json_object_set_new(
		told, "kept",
		json_boolean(outcome == KEPT_NEW || outcome == KEPT_BEFORE));
	(void)json_array_append_new(json_object_get(ctl->json, "reports"), told);
	buf_printf(&ctl->out, "%.*s: report %.*s of %.*s about %.*s: %s\n", STR_FMT(path),
		   STR_FMT(report_shown(ctl, kept->id)),
		   STR_FMT(report_shown(ctl, kept->organization)),
		   STR_FMT(report_shown(ctl, kept->domain)), outcome_text(outcome));
	if (outcome != KEPT_NEW && outcome != KEPT_BEFORE)
		ctl->status = 1;
}

/* One file that is no report does not stop the others; one that cannot be read does. */
static bool keep_file(struct ctl *ctl, struct str path)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf bytes = BUF(REPORT_FILE_MAX);
	const char *why = NULL;
	struct kept *list;
	size_t count;

	arena_init(&arena, DMARC_REPORT_ARENA_MAX);
	if (!report_file(ctl, path, &bytes))
		return false;
	switch (arrived_read(buf_str(&bytes), &arena, &list, &count)) {
	case ARRIVED_REPORT:
		break;
	case ARRIVED_OTHER:
		why = "holds no report of DMARC or TLS about many mails";
		break;
	case ARRIVED_BAD:
		why = "holds a report that cannot be read, or is too long";
		break;
	}
	if (why) {
		buf_printf(&ctl->out, "%.*s: %s\n", STR_FMT(path), why);
		ctl->status = 1;
		return true;
	}
	for (size_t i = 0; i < count; i++)
		keep_one(ctl, path, &list[i]);
	return true;
}

/* Asked before anything is kept. */
static bool are_readable(struct ctl *ctl)
{
	for (size_t i = 0; i < ctl->word_count; i++) {
		struct str path = ctl->words[i];
		struct str name = arena_printf(&ctl->arena, "%.*s", STR_FMT(path));

		if (str_same(path, STR("-")) || access(name.ptr, R_OK) == 0)
			continue;
		ctl_fail(ctl, "%.*s cannot be read: %s.\nNothing was changed.",
			 STR_FMT(path), strerror(errno));
		return false;
	}
	return true;
}

void report_keep(struct ctl *ctl)
{
	if (!are_readable(ctl))
		return;
	ctl->json = json_pack("{s:[]}", "reports");
	ctl->is_partial = true; /* each file has its line */
	for (size_t i = 0; i < ctl->word_count; i++)
		if (!keep_file(ctl, ctl->words[i]))
			return;
}

/* ---- list -------------------------------------------------------------------------- */

struct listing {
	struct ctl *ctl;
	json_t *reports;
	size_t count;
};

static void list_one(void *arg, const struct kept *kept)
{
	struct listing *listing = arg;
	struct ctl *ctl = listing->ctl;

	if (listing->count++ >= LISTED_MAX)
		return;
	buf_printf(&ctl->out, "%.*s  %-5s  %.*s  of %.*s: %llu %s, %llu %s\n",
		   STR_FMT(str_first(report_moment(ctl, kept->begin), 10)),
		   kinds[kept->kind], STR_FMT(report_shown(ctl, kept->domain)),
		   STR_FMT(report_shown(ctl, kept->organization)),
		   (unsigned long long)kept->good,
		   kept->kind == KEPT_TLS ? "sessions good" : "mails aligned",
		   (unsigned long long)kept->bad,
		   kept->kind == KEPT_TLS ? "failed" : "not");
	(void)json_array_append_new(listing->reports, kept_json(kept));
}

void report_list(struct ctl *ctl)
{
	struct listing listing = {.ctl = ctl, .reports = json_array()};
	struct str domain = ctl->word_count > 0 ? ctl->words[0] : STR("");

	ctl->json = json_pack("{s:o}", "reports", listing.reports);
	if (!kept_each(ctl->store, domain, 0, list_one, &listing)) {
		ctl_fail_store(ctl, STORE_UNAVAILABLE);
		return;
	}
	if (listing.count > LISTED_MAX)
		buf_printf(&ctl->out, "and %zu more; name a domain to see them\n",
			   listing.count - LISTED_MAX);
}
