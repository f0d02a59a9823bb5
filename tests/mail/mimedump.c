/* Prints the MIME structure of the message on standard input as JSON: for run.py, and for
 * people who want to know what the parser sees.  Text is UTF-8, octets are base64. */
#include <stdio.h>

#include "base/base64.h"
#include "text/charset.h"
#include "text/text_header.h"
#include "wire/mail/header.h"
#include "wire/mail/mime.h"

enum { MESSAGE_MAX = 64 << 20 };

static struct buf out = BUF((size_t)MESSAGE_MAX * 8);

static void add_quoted(struct str text)
{
	buf_add_byte(&out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c < 32 || c == '"' || c == '\\')
			buf_printf(&out, "\\u%04x", c);
		else
			buf_add_byte(&out, (char)c);
	}
	buf_add_byte(&out, '"');
}

static void add_utf8(const char *key, struct str charset, struct str bytes)
{
	struct buf text = BUF((size_t)MESSAGE_MAX * 3);

	(void)charset_add_utf8(&text, charset, bytes); /* as far as it goes */
	buf_printf(&out, ",\"%s\":", key);
	add_quoted(buf_str(&text));
	buf_fini(&text);
}

static void add_params(struct arena *arena, const char *key,
		       const struct mail_params *params)
{
	buf_printf(&out, ",\"%s\":[", key);
	for (size_t i = 0; i < params->count; i++) {
		struct str name = params->items[i].name, value, charset;
		struct buf text = BUF((size_t)MESSAGE_MAX * 3);

		name.len = str_find_byte(name, '*');
		if (!mail_param_find(arena, params, name, &value, &charset))
			value = params->items[i].value;
		text_param_add(&text, value, charset);
		buf_add_c(&out, i > 0 ? ",[" : "[");
		add_quoted(name);
		buf_add_c(&out, ",");
		add_quoted(buf_str(&text));
		buf_add_c(&out, "]");
		buf_fini(&text);
	}
	buf_add_c(&out, "]");
}

static void add_body(struct str message, const struct mime_part *part)
{
	struct str body = {message.ptr + part->body_at, part->body_len};
	struct buf bytes = BUF(MESSAGE_MAX);
	struct str charset = mail_param_plain(&part->params, STR("charset"));

	mail_transfer_decode(part->transfer, body, &bytes);
	buf_add_c(&out, ",\"bytes\":\"");
	base64_add(&out, buf_str(&bytes));
	buf_add_c(&out, "\"");
	if (str_same_nocase(part->type, STR("text")))
		add_utf8("text", charset, buf_str(&bytes));
	buf_fini(&bytes);
}

/* The fields as written. */
static void add_fields(struct str message, const struct mime_part *part)
{
	struct mail_fields walk = mail_fields_over(
		(struct str){message.ptr + part->header_at, part->header_len});
	struct mail_field field;
	const char *sep = "";

	buf_add_c(&out, ",\"fields\":[");
	while (mail_fields_next(&walk, &field)) {
		buf_printf(&out, "%s\"", sep);
		base64_add(&out, (struct str){field.name.ptr, field.len});
		buf_add_c(&out, "\"");
		sep = ",";
	}
	buf_add_c(&out, "]");
}

static void add_part(struct arena *arena, struct str message,
		     const struct mime_part *part)
{
	static const char *const kinds[] = {"leaf", "multipart", "message"};

	buf_printf(&out, "{\"kind\":\"%s\",\"type\":", kinds[part->kind]);
	add_quoted(part->type);
	buf_add_c(&out, ",\"subtype\":");
	add_quoted(part->subtype);
	add_utf8("encoding", STR(""), part->encoding);
	add_params(arena, "params", &part->params);
	add_utf8("disposition", STR(""), part->disposition.type);
	add_params(arena, "disposition_params", &part->disposition.params);
	buf_printf(&out, ",\"header\":[%zu,%zu],\"body\":[%zu,%zu],\"lines\":%zu",
		   part->header_at, part->header_len, part->body_at, part->body_len,
		   part->lines);
	add_fields(message, part);
	if (part->kind == MIME_LEAF)
		add_body(message, part);
	buf_add_c(&out, ",\"children\":[");
	for (const struct mime_part *child = part->first; child; child = child->next) {
		add_part(arena, message, child);
		buf_add_c(&out, child->next ? "," : "");
	}
	buf_add_c(&out, "]}");
}

int main(void)
{
	struct buf message = BUF(MESSAGE_MAX);
	struct arena arena;
	char chunk[65536];
	size_t len;

	while ((len = fread(chunk, 1, sizeof chunk, stdin)) > 0)
		buf_add(&message, (struct str){chunk, len});
	arena_init(&arena, (size_t)MESSAGE_MAX * 8);
	struct mime mime = mime_parse(&arena, buf_str(&message));

	add_part(&arena, buf_str(&message), mime.root);
	buf_add_c(&out, "\n");
	bool ok = buf_ok(&message) && buf_ok(&out) &&
		  fwrite(out.ptr, 1, out.len, stdout) == out.len;

	arena_fini(&arena);
	buf_fini(&message);
	buf_fini(&out);
	charset_forget();
	return ok ? 0 : 1;
}
