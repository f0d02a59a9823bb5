#include "transfer/folder.h"
#include "transfer/import.h"
#include "transfer/text.h"

enum { DEPTH_MAX = 20, ARENA_MAX = 64 << 20 };

struct eml {
	struct intake *intake;
	struct buf raw;
};

static void bring(struct eml *eml, const char *path, struct str mailbox)
{
	struct intake *intake = eml->intake;
	struct report *report = intake_options(intake)->report;
	struct incoming incoming = {.where = str_c(path)};
	struct stat stat;

	buf_reset(&eml->raw);
	err_t err = folder_read(path, &eml->raw, &stat);

	if (err != OK) {
		report_lost(report, incoming.where,
			    err == ERR_LIMIT ? "it is too long" : "it cannot be read");
		return;
	}
	struct buf *text = intake_text(intake);

	text_add_crlf(text, buf_str(&eml->raw));
	incoming.ident = intake_ident(intake, mailbox, buf_str(text));
	if (!intake_wants(intake, &incoming.ident))
		return;
	if (!folder_date(buf_str(text), &incoming.received_at, &incoming.zone_minutes))
		incoming.received_at = stat.st_mtim.tv_sec;
	(void)intake_add(intake, &incoming); /* the walk looks whether it is over */
}

static bool is_eml(struct str name)
{
	return name.len > 4 && str_same_nocase(str_skip(name, name.len - 4), STR(".eml"));
}

static void walk(struct eml *eml, const char *folder, struct str mailbox, unsigned depth)
{
	SCOPED(arena_fini) struct arena arena;
	struct str *names;
	size_t count;

	arena_init(&arena, ARENA_MAX);
	if (folder_names(folder, &arena, &names, &count) != OK) {
		report_lost(intake_options(eml->intake)->report, str_c(folder),
			    "the folder cannot be read");
		return;
	}
	bool is_open = false, is_wrong = false;

	for (size_t i = 0; i < count && !intake_is_over(eml->intake); i++) {
		const char *path = folder_join(&arena, folder, names[i]);

		if (!path || !is_eml(names[i]) || is_wrong || folder_is(path))
			continue;
		is_wrong = !is_open && !intake_mailbox(eml->intake, mailbox, ROLE_NONE);
		is_open = true;
		if (!is_wrong)
			bring(eml, path, mailbox);
	}
	for (size_t i = 0; i < count && !intake_is_over(eml->intake); i++) {
		const char *path = folder_join(&arena, folder, names[i]);
		struct box_path below = {.text = BUF(0)};

		if (!path || names[i].ptr[0] == '.' || !folder_is(path) ||
		    depth == DEPTH_MAX)
			continue;
		for (struct str rest = mailbox; rest.len > 0;)
			box_path_add(&below, str_cut(&rest, '/'));
		box_path_add(&below, names[i]);
		walk(eml, path, buf_str(&below.text), depth + 1);
		buf_fini(&below.text);
	}
}

void import_eml(struct intake *intake, const char *folder)
{
	struct eml eml = {intake, BUF(intake_options(intake)->message_bytes_max)};

	if (folder_is(folder))
		walk(&eml, folder, STR(""), 0);
	else
		(void)report_fail(intake_options(intake)->report,
				  "There is no folder %s.", folder);
	buf_fini(&eml.raw);
}
