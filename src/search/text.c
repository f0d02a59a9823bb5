#include "search/text.h"

#include "text/casemap.h"
#include "text/charset.h"
#include "text/text_header.h"
#include "wire/mail/header.h"
#include "wire/mail/mime.h"

void search_text_init(struct search_text *scratch)
{
	*scratch = (struct search_text){BUF(SEARCH_TEXT_MAX), BUF(SEARCH_TEXT_MAX)};
}

void search_text_fini(struct search_text *scratch)
{
	buf_fini(&scratch->text);
	buf_fini(&scratch->mapped);
}

struct str search_mapped(struct search_text *scratch, struct str text)
{
	buf_reset(&scratch->mapped);
	casemap_add(&scratch->mapped, text);
	return buf_str(&scratch->mapped);
}

/* As people read it. */
static struct str mapped_value(struct search_text *scratch, struct str value)
{
	buf_reset(&scratch->text);
	text_header_add(&scratch->text, value);
	return search_mapped(scratch, buf_str(&scratch->text));
}

bool search_fields(struct search_text *scratch, struct str block, struct str name,
		   search_take *take, void *arg)
{
	struct mail_fields walk = mail_fields_over(block);
	struct mail_field field;

	while (mail_fields_next(&walk, &field)) {
		if (name.len > 0 && !str_same_nocase(field.name, name))
			continue;
		if (take(arg, field.name, mapped_value(scratch, field.value)))
			return true;
		if (name.len == 0 &&
		    take(arg, STR(""), search_mapped(scratch, field.name)))
			return true;
	}
	return false;
}

/* A part of text, decoded and in UTF-8. */
static struct str mapped_part(struct search_text *scratch, struct str body,
			      const struct mime_part *part)
{
	struct str charset = mail_param_plain(&part->params, STR("charset"));
	SCOPED(buf_fini) struct buf plain = BUF(SEARCH_TEXT_MAX);

	body = str_first(str_skip(body, part->body_at), part->body_len);
	if (part->transfer == MAIL_TRANSFER_QP ||
	    part->transfer == MAIL_TRANSFER_BASE64) {
		mail_transfer_decode(part->transfer, body, &plain);
		body = buf_str(&plain);
	}
	buf_reset(&scratch->text);
	(void)charset_add_utf8(&scratch->text, charset, body); /* repaired will do */
	return search_mapped(scratch, buf_str(&scratch->text));
}

bool search_body(struct search_text *scratch, struct str body, struct mime_part *root,
		 search_take *take, void *arg)
{
	for (struct mime_part *part = root; part; part = mime_next(part)) {
		struct str header =
			str_first(str_skip(body, part->header_at), part->header_len);

		if (part->parent && part->parent->kind == MIME_MESSAGE &&
		    search_fields(scratch, header, STR(""), take, arg))
			return true;
		if (part->kind == MIME_LEAF && str_same_nocase(part->type, STR("text")) &&
		    take(arg, STR(""), mapped_part(scratch, body, part)))
			return true;
	}
	return false;
}
