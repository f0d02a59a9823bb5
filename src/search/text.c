#include "search/text.h"

#include "text/casemap.h"
#include "text/charset.h"
#include "text/text_header.h"
#include "wire/mail/address.h"
#include "wire/mail/header.h"
#include "wire/mail/mime.h"

enum { ADDRESSES_MAX = 2000, ADDRESSES_BYTES = 2 << 20 }; /* of one field */

void search_text_init(struct search_text *scratch)
{
	*scratch = (struct search_text){.text = BUF(SEARCH_TEXT_MAX),
					.mapped = BUF(SEARCH_TEXT_MAX)};
	arena_init(&scratch->arena, ADDRESSES_BYTES);
}

void search_text_fini(struct search_text *scratch)
{
	buf_fini(&scratch->text);
	buf_fini(&scratch->mapped);
	arena_fini(&scratch->arena);
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

/* The fields of ENVELOPE that hold addresses.  RFC 9051 §7.5.2. */
static bool has_addresses(struct str name)
{
	static const struct str names[] = {STR("from"), STR("to"),     STR("cc"),
					   STR("bcc"),  STR("sender"), STR("reply-to")};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_same_nocase(names[i], name))
			return true;
	return false;
}

static bool is_space(struct str text, size_t at)
{
	return at < text.len && (unsigned char)text.ptr[at] <= ' ';
}

/* Whether ENVELOPE shows an address otherwise than it stands there: it has comments,
 * quoted pairs, or space and quotes where RFC 5322 §4.4 and §3.4.1 let them be. */
static bool is_odd(struct str list)
{
	bool in_domain = false;

	for (size_t i = 0; i < list.len; i++) {
		char c = list.ptr[i];
		bool after_space = i > 0 && is_space(list, i - 1);
		bool before_space = is_space(list, i + 1);

		if (c == '(' || c == '\\')
			return true;
		if (c == '@' &&
		    (after_space || before_space || (i > 0 && list.ptr[i - 1] == '"')))
			return true;
		if (c == '.' && (after_space || (in_domain && before_space)))
			return true;
		if (c == '@')
			in_domain = true;
		else if (c == ',' || c == ';' || c == '<')
			in_domain = false;
	}
	return false;
}

static void address_add(struct buf *text, const struct mail_address *address)
{
	bool has_name = address->name.len > 0;

	text_header_add(text, address->name);
	if (address->kind == MAIL_GROUP_START)
		buf_add_byte(text, ':');
	if (address->kind != MAIL_MAILBOX)
		return;
	buf_add_c(text, has_name ? " <" : "");
	(void)charset_add_utf8(text, STR(""), address->local); /* repaired will do */
	buf_add_c(text, address->domain.len > 0 ? "@" : "");
	(void)charset_add_utf8(text, STR(""), address->domain); /* as above */
	buf_add_c(text, has_name ? ">" : "");
}

/* "contain the specified string in the envelope structure's FROM field".  RFC 9051
 * §6.4.4. */
static struct str mapped_addresses(struct search_text *scratch, struct str value)
{
	arena_reset(&scratch->arena);
	struct mail_addresses list =
		mail_addresses_parse(&scratch->arena, value, ADDRESSES_MAX);

	buf_reset(&scratch->text);
	for (size_t i = 0; i < list.count; i++) {
		buf_add_c(&scratch->text, i > 0 ? ", " : "");
		address_add(&scratch->text, &list.items[i]);
	}
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
		if (has_addresses(field.name) && is_odd(field.value) &&
		    take(arg, field.name, mapped_addresses(scratch, field.value)))
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
