#include "mta/table.h"

#include "base/hash.h"
#include "base/mem.h"
#include "mta/destination.h"

static size_t bucket(uint64_t number, account_t account)
{
	return (hash64_number(number) ^ account) & (TABLE_BUCKETS_MTA - 1);
}

struct entry *table_find(struct run *run, account_t account, uint64_t row)
{
	LIST_EACH(&run->rows[bucket(row, account)], link)
	{
		struct entry *entry = CONTAINER_OF(link, struct entry, in_table);

		if (entry->row.row == row && entry->row.account == account)
			return entry;
	}
	return NULL;
}

/* Copies text behind what is there already. */
static struct str keep(char **at, struct str text)
{
	struct str kept = {*at, text.len};

	if (text.len > 0)
		memcpy(*at, text.ptr, text.len);
	*at += text.len;
	return kept;
}

/* ---- mails ------------------------------------------------------------------------- */

void mail_ref(struct mail *mail)
{
	mail->refs++;
}

void mail_unref(struct mail *mail)
{
	if (--mail->refs == 0)
		mem_free(mail);
}

static struct list *others_of(const struct mail *mail)
{
	return &mail->destination->run
			->mails[bucket(mail->row.message, mail->row.account)];
}

void mail_enter(struct mail *mail, bool is_first)
{
	struct destination *destination = mail->destination;

	ASSERT(!mail->is_waiting);
	mail->is_waiting = true;
	list_add_last(others_of(mail), &mail->in_table);
	if (is_first)
		list_add_first(&destination->mails, &mail->in_destination);
	else
		list_add_last(&destination->mails, &mail->in_destination);
	destination->waiting++;
}

void mail_leave(struct mail *mail)
{
	struct destination *destination = mail->destination;

	ASSERT(mail->is_waiting);
	mail->is_waiting = false;
	list_remove(others_of(mail), &mail->in_table);
	list_remove(&destination->mails, &mail->in_destination);
	destination->waiting--;
}

static struct mail *mail_new(const struct queue_row *row, struct destination *destination)
{
	size_t len = row->sender.len + row->id.len + row->trace.len + row->envid.len;
	struct mail *mail = mem_zeroed(1, sizeof *mail + len);
	char *at = mail->bytes;

	mail->destination = destination;
	mail->row = *row;
	mail->row.sender = keep(&at, row->sender);
	mail->row.id = keep(&at, row->id);
	mail->row.trace = keep(&at, row->trace);
	mail->row.envid = keep(&at, row->envid);
	mail->row.reason = mail->row.host = mail->row.route = STR("");
	mail->row.recipient = (struct queue_recipient){.kind = QUEUE_REMOTE};
	mail_enter(mail, false);
	return mail;
}

/* One that still waits there and has room. */
static struct mail *mail_of(struct run *run, const struct queue_row *row,
			    const struct destination *destination)
{
	LIST_EACH(&run->mails[bucket(row->message, row->account)], link)
	{
		struct mail *mail = CONTAINER_OF(link, struct mail, in_table);

		if (mail->row.message == row->message &&
		    mail->row.account == row->account &&
		    mail->destination == destination && mail->count < MAIL_RCPTS_MAX)
			return mail;
	}
	return NULL;
}

/* ---- entries ----------------------------------------------------------------------- */

struct entry *table_add(struct run *run, const struct queue_row *row,
			struct destination *destination)
{
	const struct queue_recipient *to = &row->recipient;
	struct mail *mail = mail_of(run, row, destination);
	struct entry *entry =
		mem_zeroed(1, sizeof *entry + to->address.len + to->original.len +
				      to->orcpt.len + row->reason.len + row->route.len);
	char *at = entry->bytes;

	if (!mail)
		mail = mail_new(row, destination);
	entry->mail = mail;
	entry->row = *row;
	entry->row.sender = mail->row.sender;
	entry->row.id = mail->row.id;
	entry->row.trace = mail->row.trace;
	entry->row.envid = mail->row.envid;
	entry->row.reason = keep(&at, row->reason);
	entry->row.route = keep(&at, row->route);
	entry->row.host = STR("");
	entry->row.recipient.address = keep(&at, to->address);
	entry->row.recipient.original = keep(&at, to->original);
	entry->row.recipient.orcpt = keep(&at, to->orcpt);
	list_add_last(&run->rows[bucket(row->row, row->account)], &entry->in_table);
	list_add_last(&mail->entries, &entry->in_mail);
	mail->count++;
	mail_ref(mail);
	destination_count_row(destination);
	run->row_count++;
	return entry;
}

void table_decide(struct entry *entry)
{
	struct mail *mail = entry->mail;

	list_remove(&mail->entries, &entry->in_mail);
	mail->destination->entry_count--;
	if (--mail->count == 0 && mail->is_waiting)
		mail_leave(mail);
}

void table_forget(struct run *run, struct entry *entry)
{
	list_remove(&run->rows[bucket(entry->row.row, entry->row.account)],
		    &entry->in_table);
	run->row_count--;
	mail_unref(entry->mail);
	mem_free(entry);
	wake_all(&run->room);
}
