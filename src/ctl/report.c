#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

#include "base/civil.h"
#include "ctl/word.h"
#include "tlspolicy/received.h"

enum {
	FILE_BYTES_MAX = 2 * TLS_REPORT_BYTES_MAX, /* as base64 in a mail */
	PIECE = 64 * 1024,
	SHOWN_MAX = 200,
};

/* False, and said. */
static bool read_all(struct ctl *ctl, struct str path, struct buf *bytes)
{
	bool is_stdin = str_same(path, STR("-"));
	struct str name = arena_printf(&ctl->arena, "%.*s", STR_FMT(path));
	int fd = is_stdin ? dup(STDIN_FILENO) : open(name.ptr, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : 1;

	while (got > 0) {
		char *room = buf_room(bytes, PIECE);

		got = room ? read(fd, room, PIECE) : 0;
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			buf_grew(bytes, (size_t)got);
	}
	if (got < 0)
		ctl_fail(ctl, "%.*s cannot be read: %s.\nNothing was changed.",
			 STR_FMT(path), strerror(errno));
	else if (!buf_ok(bytes))
		ctl_fail(ctl, "%.*s is longer than any report that we read, %d MiB.",
			 STR_FMT(path), FILE_BYTES_MAX / 1024 / 1024);
	if (fd >= 0)
		(void)close(fd);
	return got == 0 && buf_ok(bytes);
}

/* ---- for people -------------------------------------------------------------------- */

/* Strangers' words on a terminal: on one line, and without control characters, those of
 * UTF-8 included. */
static struct str shown(struct ctl *ctl, struct str text)
{
	SCOPED(buf_fini) struct buf out = BUF(SHOWN_MAX + 8);
	struct str copy;

	for (size_t i = 0; i < text.len && out.len < SHOWN_MAX; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		bool is_c1 = c == 0xc2 && i + 1 < text.len &&
			     (unsigned char)text.ptr[i + 1] < 0xa0;

		i += is_c1;
		buf_add_byte(&out, is_c1 || c < ' ' || c == 127 ? '?' : text.ptr[i]);
	}
	if (text.len == 0)
		return STR("(not said)");
	return arena_copy(&ctl->arena, buf_str(&out), &copy) ? copy : STR("?");
}

/* "2026-11-22 00:00" */
static struct str moment(struct ctl *ctl, int64_t at)
{
	struct civil c = civil_from_unix(at, 0);

	if (at == 0)
		return STR("(not said)");
	return arena_printf(&ctl->arena, "%04d-%02d-%02d %02d:%02d", c.year, c.month,
			    c.day, c.hour, c.minute);
}

static void say_detail(struct ctl *ctl, const struct tls_report_detail *detail)
{
	buf_printf(&ctl->out, "    %llu x %.*s", (unsigned long long)detail->sessions,
		   STR_FMT(shown(ctl, detail->type)));
	if (detail->sending_ip.len > 0)
		buf_printf(&ctl->out, " from %.*s",
			   STR_FMT(shown(ctl, detail->sending_ip)));
	if (detail->mx.len > 0)
		buf_printf(&ctl->out, " to %.*s", STR_FMT(shown(ctl, detail->mx)));
	if (detail->receiving_ip.len > 0)
		buf_printf(&ctl->out, " [%.*s]",
			   STR_FMT(shown(ctl, detail->receiving_ip)));
	if (detail->reason.len > 0)
		buf_printf(&ctl->out, ": %.*s", STR_FMT(shown(ctl, detail->reason)));
	buf_add(&ctl->out, STR("\n"));
}

static void say_report(struct ctl *ctl, const struct tls_report *report)
{
	buf_printf(&ctl->out, "TLS report %.*s of %.*s <%.*s>\n",
		   STR_FMT(shown(ctl, report->id)),
		   STR_FMT(shown(ctl, report->organization)),
		   STR_FMT(shown(ctl, report->contact)));
	buf_printf(&ctl->out, "from %.*s to %.*s (UTC)\n",
		   STR_FMT(moment(ctl, report->begin)),
		   STR_FMT(moment(ctl, report->end)));
	for (size_t i = 0; i < report->count; i++) {
		const struct tls_report_policy *policy = &report->policies[i];

		buf_printf(&ctl->out,
			   "  %.*s, policy %.*s: %llu sessions good, %llu failed\n",
			   STR_FMT(shown(ctl, policy->domain)),
			   STR_FMT(shown(ctl, policy->type)),
			   (unsigned long long)policy->good,
			   (unsigned long long)policy->bad);
		for (size_t j = 0; j < policy->detail_count; j++)
			say_detail(ctl, &policy->details[j]);
	}
	if (report->is_cut)
		buf_add(&ctl->out, STR("It is longer than what is shown.\n"));
}

/* ---- as JSON ----------------------------------------------------------------------- */

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n); /* at most INT64_MAX */
}

static json_t *texts(const struct str *list, size_t count)
{
	json_t *made = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(made, ctl_json(list[i]));
	return made;
}

static json_t *detail_json(const struct tls_report_detail *detail)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "failure",
			 ctl_json(detail->type), "sessions", number(detail->sessions),
			 "sending-ip", ctl_json(detail->sending_ip), "receiving-mx",
			 ctl_json(detail->mx), "receiving-helo", ctl_json(detail->helo),
			 "receiving-ip", ctl_json(detail->receiving_ip), "reason",
			 ctl_json(detail->reason), "more", ctl_json(detail->more));
}

static json_t *policy_json(const struct tls_report_policy *policy)
{
	json_t *details = json_array();

	for (size_t i = 0; i < policy->detail_count; i++)
		(void)json_array_append_new(details, detail_json(&policy->details[i]));
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "domain",
			 ctl_json(policy->domain), "type", ctl_json(policy->type),
			 "lines", texts(policy->lines, policy->line_count), "mx",
			 texts(policy->mx, policy->mx_count), "good",
			 number(policy->good), "failed", number(policy->bad), "failures",
			 details);
}

static json_t *report_json(const struct tls_report *report)
{
	json_t *policies = json_array();

	for (size_t i = 0; i < report->count; i++)
		(void)json_array_append_new(policies, policy_json(&report->policies[i]));
	return json_pack("{s:o,s:o,s:o,s:I,s:I,s:b,s:o}", "organization",
			 ctl_json(report->organization), "contact",
			 ctl_json(report->contact), "id", ctl_json(report->id), "begin",
			 (json_int_t)report->begin, "end", (json_int_t)report->end, "cut",
			 (int)report->is_cut, "policies", policies);
}

/* ---- the verb ---------------------------------------------------------------------- */

static void tls(struct ctl *ctl)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf bytes = BUF(FILE_BYTES_MAX);
	struct str path = ctl->words[0];
	struct tls_report report;

	arena_init(&arena, RECEIVED_ARENA_MAX);
	if (!read_all(ctl, path, &bytes))
		return;
	switch (received_read(buf_str(&bytes), &arena, &report)) {
	case RECEIVED_REPORT:
		say_report(ctl, &report);
		ctl->json = report_json(&report);
		return;
	case RECEIVED_OTHER:
		ctl_fail(ctl,
			 "%.*s holds no report of TLS.\nNothing was changed.\nIt may be "
			 "such a mail, the JSON in it, or that JSON packed by gzip.",
			 STR_FMT(path));
		return;
	case RECEIVED_DAMAGED:
		ctl_fail(ctl,
			 "%.*s holds a report of TLS that cannot be read: it is cut "
			 "off, or is no JSON as RFC 8460 has it.\nNothing was changed.",
			 STR_FMT(path));
		return;
	case RECEIVED_LONG:
		ctl_fail(ctl,
			 "%.*s holds a report of TLS of more than %d MiB.\nIt was not "
			 "read to its end.",
			 STR_FMT(path), TLS_REPORT_BYTES_MAX / 1024 / 1024);
		return;
	}
}

static const struct ctl_verb verbs[] = {
	{"tls", "FILE|-",
	 "Print what a report of TLS says that another server has sent: a mail, the JSON "
	 "in "
	 "it, or that JSON packed.",
	 1, 1, 0, 0, tls},
};

const struct ctl_word ctl_report = {
	.name = "report",
	.summary = "What other servers report of ours.",
	.examples =
		"  postrider report tls 'example.net!example.org!1763769600!1763855999"
		".json.gz'\n  postrider report tls - --json < mail\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
