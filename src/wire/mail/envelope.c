#include "wire/mail/envelope.h"

enum field { TEXT_DATE, TEXT_SUBJECT, TEXT_IN_REPLY_TO, TEXT_ID, TEXT_REFERENCES };

static const struct {
	struct str name;
	bool is_list;
	int which; /* enum mail_list, or enum field */
} fields[] = {
	{STR("from"), true, MAIL_FROM_LIST},
	{STR("sender"), true, MAIL_SENDER_LIST},
	{STR("reply-to"), true, MAIL_REPLY_TO_LIST},
	{STR("to"), true, MAIL_TO_LIST},
	{STR("cc"), true, MAIL_CC_LIST},
	{STR("bcc"), true, MAIL_BCC_LIST},
	{STR("date"), false, TEXT_DATE},
	{STR("subject"), false, TEXT_SUBJECT},
	{STR("in-reply-to"), false, TEXT_IN_REPLY_TO},
	{STR("message-id"), false, TEXT_ID},
	{STR("references"), false, TEXT_REFERENCES},
};

static struct str *text_of(struct mail_envelope *envelope, int which)
{
	struct str *const texts[] = {
		[TEXT_DATE] = &envelope->date_text,
		[TEXT_SUBJECT] = &envelope->subject,
		[TEXT_IN_REPLY_TO] = &envelope->in_reply_to,
		[TEXT_ID] = &envelope->message_id,
		[TEXT_REFERENCES] = &envelope->references,
	};

	return texts[which];
}

/* The place in fields[] of the name, or COUNT_OF(fields). */
static size_t find(struct str name)
{
	size_t i = 0;

	while (i < COUNT_OF(fields) && !str_same_nocase(fields[i].name, name))
		i++;
	return i;
}

void mail_envelope_parse(struct arena *arena, struct str text, size_t addresses_max,
			 struct mail_envelope *envelope)
{
	struct mail_fields walk = mail_fields_over(text);
	struct mail_field field;
	bool seen[COUNT_OF(fields)] = {0};

	*envelope = (struct mail_envelope){0};
	while (mail_fields_next(&walk, &field)) {
		size_t i = find(field.name);

		if (i == COUNT_OF(fields) || seen[i])
			continue;
		seen[i] = true;
		if (fields[i].is_list) {
			struct mail_addresses list =
				mail_addresses_parse(arena, field.value, addresses_max);

			envelope->lists[fields[i].which] = list;
			envelope->is_cut |= list.is_cut;
		} else if (!mail_unfold(arena, field.value,
					text_of(envelope, fields[i].which))) {
			envelope->is_cut = true;
		}
	}
	envelope->has_date = mail_date_parse(envelope->date_text, &envelope->date);
}

const struct mail_address *mail_first_mailbox(const struct mail_addresses *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].kind == MAIL_MAILBOX)
			return &list->items[i];
	return NULL;
}
