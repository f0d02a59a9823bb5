#include "ctl/carry.h"

#include <stdio.h>

#include <jansson.h>

#include "transfer/folder.h"

const char *carry_word(struct ctl *ctl, size_t place)
{
	return arena_printf(&ctl->arena, "%.*s%c", STR_FMT(ctl->words[place]), 0).ptr;
}

bool carry_words_fit(struct ctl *ctl, size_t wanted)
{
	size_t needed = ctl->options & CTL_ALL ? wanted - 1 : wanted;

	if (ctl->word_count == needed)
		return true;
	ctl_fail(ctl,
		 ctl->options & CTL_ALL
			 ? "With --all, no address is named.\nNothing was changed."
			 : "It needs an address, or --all, and a place.\nNothing was "
			   "changed.");
	return false;
}

/* ---- what came of it --------------------------------------------------------------- */

static void print_remarks(const struct report *report)
{
	for (const struct remark *at = report->first; at; at = at->next)
		(void)fprintf(stderr, "postrider: %.*s: %s%.*s\n", STR_FMT(at->where),
			      at->is_loss ? "left out: " : "", STR_FMT(at->why));
	if (report->remark_count > REMARKS_MAX)
		(void)fprintf(stderr, "postrider: ... and %llu more like these\n",
			      (unsigned long long)(report->remark_count - REMARKS_MAX));
	if (report->failure.len > 0)
		(void)fprintf(stderr, "postrider: %.*s\n", STR_FMT(report->failure));
}

static json_t *remarks_json(const struct report *report)
{
	json_t *list = json_array();

	for (const struct remark *at = report->first; at; at = at->next)
		(void)json_array_append_new(list, json_pack("{s:o,s:o,s:b}", "where",
							    ctl_json(at->where), "why",
							    ctl_json(at->why), "left_out",
							    (int)at->is_loss));
	return list;
}

static void tell(const struct carry *carry)
{
	struct ctl *ctl = carry->ctl;
	const struct report *report = &carry->report;
	bool is_dry_run = ctl->options & CTL_DRY_RUN;

	ctl->is_partial = true;
	if (report->lost > 0 || report->failure.len > 0)
		ctl->status = 1;
	print_remarks(report);
	buf_printf(&ctl->out,
		   "%.*s: %llu messages (%llu octets) in %llu mailboxes%s; %llu were "
		   "there already; %llu left out%s\n",
		   STR_FMT(carry->address), (unsigned long long)report->messages,
		   (unsigned long long)report->bytes,
		   (unsigned long long)report->mailboxes,
		   is_dry_run ? " would be carried over" : "",
		   (unsigned long long)report->present, (unsigned long long)report->lost,
		   report->failure.len > 0 ? "; it ended early" : "");
	if (!ctl->json)
		ctl->json = json_pack("{s:[]}", "accounts");
	json_t *told = json_pack(
		"{s:o,s:I,s:I,s:I,s:I,s:I,s:o}", "address", ctl_json(carry->address),
		"messages", (json_int_t)report->messages, "bytes",
		(json_int_t)report->bytes, "mailboxes", (json_int_t)report->mailboxes,
		"present", (json_int_t)report->present, "left_out",
		(json_int_t)report->lost, "remarks", remarks_json(report));

	if (report->failure.len > 0)
		(void)json_object_set_new(told, "error", ctl_json(report->failure));
	(void)json_array_append_new(json_object_get(ctl->json, "accounts"), told);
}

/* ---- whose ------------------------------------------------------------------------- */

static bool find(struct carry *carry, struct str name)
{
	struct ctl *ctl = carry->ctl;
	struct directory_account record;
	enum directory_find found =
		directory_find_login(&ctl->directory, name, &ctl->arena, &carry->account);

	carry->address = name;
	if (found == DIRECTORY_ACCOUNT &&
	    directory_account(&ctl->directory, carry->account, &ctl->arena, &record) ==
		    DIRECTORY_ACCOUNT)
		carry->address = record.address;
	return found == DIRECTORY_ACCOUNT;
}

static void run_one(struct carry *carry, carry_run *run)
{
	struct ctl *ctl = carry->ctl;

	report_init(&carry->report, !ctl->is_json);
	if (run)
		run(carry);
	else
		(void)report_fail(&carry->report,
				  "There is no account %.*s; \"postrider account add\" "
				  "makes one.",
				  STR_FMT(carry->address));
	report_end(&carry->report);
	tell(carry);
	report_fini(&carry->report);
}

void carry_account(struct ctl *ctl, struct str name, const char *path, carry_run *run,
		   void *arg)
{
	struct carry carry = {.ctl = ctl, .path = path, .arg = arg};

	run_one(&carry, find(&carry, name) ? run : NULL);
}

/* "example.org/ann" */
static void domain_folder(struct ctl *ctl, struct str domain, const char *folder,
			  carry_run *run, void *arg)
{
	struct str *names;
	size_t count;

	if (folder_names(folder, &ctl->arena, &names, &count) != OK)
		count = 0;
	for (size_t i = 0; i < count; i++) {
		struct str name = arena_printf(&ctl->arena, "%.*s@%.*s",
					       STR_FMT(names[i]), STR_FMT(domain));
		const char *path = folder_join(&ctl->arena, folder, names[i]);

		if (path && names[i].ptr[0] != '.')
			carry_account(ctl, name, path, run, arg);
	}
}

void carry_folder(struct ctl *ctl, const char *folder, carry_run *run, void *arg)
{
	struct str *names;
	size_t count;

	if (folder_names(folder, &ctl->arena, &names, &count) != OK) {
		ctl_fail(ctl, "The folder %s cannot be read.\nNothing was changed.",
			 folder);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct carry carry = {.ctl = ctl,
				      .arg = arg,
				      .path = folder_join(&ctl->arena, folder, names[i])};

		if (!carry.path || names[i].ptr[0] == '.')
			continue;
		bool is_account = find(&carry, names[i]);

		if (!is_account && str_find_byte(names[i], '@') == names[i].len &&
		    folder_is(carry.path))
			domain_folder(ctl, names[i], carry.path, run, arg);
		else
			run_one(&carry, is_account ? run : NULL);
	}
}

void carry_all_accounts(struct ctl *ctl, const char *folder, carry_run *run, void *arg)
{
	struct str after = STR("");
	struct directory_item *items;
	size_t count;
	enum store_outcome outcome;

	while ((outcome = directory_list(&ctl->directory, DIRECTORY_ACCOUNTS, after,
					 CTL_PAGE, &ctl->arena, &items, &count)) ==
		       STORE_OK &&
	       count > 0) {
		for (size_t i = 0; i < count; i++)
			carry_account(ctl, items[i].name,
				      folder_join(&ctl->arena, folder, items[i].name),
				      run, arg);
		after = items[count - 1].name;
	}
	if (outcome != STORE_OK)
		ctl_fail_store(ctl, outcome);
}
