/* Whatever strangers wrote, a report stays one: three parts, fields that are fields, no
 * control octets, and its own header as it was meant. */
#include "queue/bounce.h"

#include "base/codec.h"
#include "wire/mail/header.h"
#include "wire/mail/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_octets(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char b = (unsigned char)text.ptr[i];

		ASSERT(b >= 32 || b == '\r' || b == '\n' || b == '\t');
	}
}

static size_t count_fields(struct str text, const char *name)
{
	struct mail_fields fields = mail_fields_over(text);
	struct mail_field field;
	size_t count = 0;

	while (mail_fields_next(&fields, &field))
		count += str_same_nocase(field.name, str_c(name));
	return count;
}

static void check(struct str text, struct arena *arena)
{
	struct mime mime = mime_parse(arena, text);

	if (mime.is_cut)
		return;
	ASSERT(mime.root && mime.root->child_count == 3);
	struct mime_part *status = mime.root->first->next;
	struct str body = {text.ptr + status->body_at, status->body_len};

	if (status->transfer == MAIL_TRANSFER_7BIT) {
		check_octets(body);
		ASSERT(count_fields(body, "Reporting-MTA") == 1);
		body = str_skip(body, str_find(body, STR("\r\n\r\n")) + 4);
		ASSERT(count_fields(body, "Action") == 1);
		ASSERT(count_fields(body, "Status") == 1);
		ASSERT(count_fields(body, "Final-Recipient") == 1);
	}
	ASSERT(count_fields(text, "To") == 1 && count_fields(text, "Subject") == 1);
	ASSERT(count_fields(text, "Bcc") == 0 && count_fields(text, "Cc") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dec d = dec_over((struct str){(const char *)data, size});
	struct queue_row row = {.id = STR("Q"), .received_at = 1700000000};
	uint8_t bits = dec_u8(&d);

	row.body_kind = bits & 1 ? QUEUE_SMTPUTF8 : 0;
	row.sender = dec_str(&d);
	row.envid = dec_str(&d);
	row.recipient.original = dec_str(&d);
	row.recipient.orcpt = dec_str(&d);
	struct bounce_recipient to = {.row = &row,
				      .action = (enum bounce_action)(bits >> 1 & 3),
				      .said = dec_str(&d),
				      .host = dec_str(&d)};
	/* No stranger knows the id, which is the boundary. */
	struct bounce bounce = {.hostname = STR("mx"),
				.domain = STR("d"),
				.to = bits & 8 ? STR("ann@example.org") : row.sender,
				.id = STR("0123456789abcdef"),
				.recipients = &to,
				.count = 1,
				.original = d.rest};
	struct buf message = BUF(BOUNCE_BYTES_MAX);
	struct arena arena;

	arena_init(&arena, 1 << 20);
	(void)bounce_write(&bounce, &message);
	if (buf_ok(&message) && str_find(d.rest, bounce.id) == d.rest.len)
		check(buf_str(&message), &arena);
	arena_fini(&arena);
	buf_fini(&message);
	return 0;
}
