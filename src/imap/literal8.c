#include "imap/literal8.h"

#include "wire/mail/header.h"
#include "wire/mail/mime.h"

enum { ARENA_MAX = 8 << 20 };

static bool has_nul(struct str text)
{
	return text.len > 0 && memchr(text.ptr, 0, text.len);
}

/* The header with another Content-Transfer-Encoding. */
static void add_header(struct buf *out, struct str header, bool is_part)
{
	struct mail_fields walk =
		is_part ? mail_fields_of_part(header) : mail_fields_over(header);
	struct mail_field field;
	size_t done = 0;

	while (mail_fields_next(&walk, &field)) {
		if (!str_same_nocase(field.name, STR("Content-Transfer-Encoding")))
			continue;
		buf_add(out, str_first(str_skip(header, done), field.at - done));
		buf_add_c(out, "Content-Transfer-Encoding: base64\r\n");
		done = field.at + field.len;
	}
	buf_add(out, str_skip(header, done));
}

bool literal8_encode(struct buf *message)
{
	struct str text = buf_str(message);
	SCOPED(arena_fini) struct arena arena = {0};
	struct buf out = BUF(message->max);
	size_t done = 0;

	if (!has_nul(text))
		return true;
	arena_init(&arena, ARENA_MAX);
	for (struct mime_part *part = mime_parse(&arena, text).root; part;
	     part = mime_next(part)) {
		struct str header =
			str_first(str_skip(text, part->header_at), part->header_len);
		struct str body =
			str_first(str_skip(text, part->body_at), part->body_len);

		if (part->kind != MIME_LEAF || part->transfer != MAIL_TRANSFER_BINARY ||
		    !has_nul(body))
			continue;
		buf_add(&out, str_first(str_skip(text, done), part->header_at - done));
		add_header(&out, header,
			   part->parent && part->parent->kind == MIME_MULTIPART);
		mail_base64_add(&out, body);
		done = part->body_at + part->body_len;
	}
	buf_add(&out, str_skip(text, done));
	if (!buf_ok(&out) || has_nul(buf_str(&out))) {
		buf_fini(&out);
		return false;
	}
	buf_fini(message);
	*message = out;
	return true;
}
