#include "policy/message.h"

#include "wire/auth/authres.h"
#include "wire/mail/date.h"
#include "wire/mail/header.h"

enum { RESULTS_ARENA_BYTES = 256 * 1024 /* of one Authentication-Results */ };

/* What only we may say. */
static bool is_foreign(const struct mail_field *field, struct str hostname)
{
	if (str_same_nocase(field->name, STR("Return-Path")))
		return true;
	if (!str_same_nocase(field->name, STR("Authentication-Results")))
		return false;
	struct arena arena;

	arena_init(&arena, RESULTS_ARENA_BYTES);
	bool claims = authres_claims(field->value, hostname, &arena);

	arena_fini(&arena);
	return claims;
}

struct message_facts message_look(struct str text, struct str hostname)
{
	struct mail_fields fields = mail_fields_over(text);
	struct message_facts facts = {0};
	struct mail_field field;

	while (mail_fields_next(&fields, &field)) {
		if (str_same_nocase(field.name, STR("Received")))
			facts.received_count++;
		else if (is_foreign(&field, hostname))
			facts.foreign_count++;
		else if (str_same_nocase(field.name, STR("Date")))
			facts.has_date = true;
		else if (str_same_nocase(field.name, STR("Message-ID")))
			facts.has_message_id = true;
		else if (str_same_nocase(field.name, STR("TLS-Required")))
			facts.is_tls_optional =
				str_same_nocase(str_trim(field.value), STR("No"));
		else if (str_same_nocase(field.name, STR("From")) &&
			 facts.from_count++ == 0)
			facts.from = field.value;
	}
	facts.header_len = fields.at;
	return facts;
}

bool message_was_delivered_to(struct str text, struct str address)
{
	struct mail_fields fields = mail_fields_over(text);
	struct mail_field field;

	while (mail_fields_next(&fields, &field))
		if (str_same_nocase(field.name, STR("Delivered-To")) &&
		    str_same_nocase(str_trim(field.value), address))
			return true;
	return false;
}

/* What stays is moved together, then up to the body: each octet of the header at most
 * twice, however many fields go. */
struct str message_drop_foreign(struct buf *text, struct str hostname)
{
	struct mail_fields fields = mail_fields_over(buf_str(text));
	struct mail_field field;
	size_t kept = 0, from = 0;

	while (mail_fields_next(&fields, &field)) {
		if (!is_foreign(&field, hostname))
			continue;
		memmove(text->ptr + kept, text->ptr + from, field.at - from);
		kept += field.at - from;
		from = field.at + field.len;
	}
	if (from == 0)
		return buf_str(text);
	memmove(text->ptr + from - kept, text->ptr, kept);
	return str_skip(buf_str(text), from - kept);
}

/* A client's own words, which are no host name, inside a comment. */
static void add_words(struct buf *out, struct str words)
{
	for (size_t i = 0; i < words.len; i++) {
		char b = words.ptr[i];

		buf_add_byte(out, b == '(' || b == ')' || b == '\\' ? '?' : b);
	}
}

/* TCP-info: "[192.0.2.1]" or "[IPv6:2001:db8::1]".  A Unix socket has no address. */
static void add_literal(struct buf *out, struct str address)
{
	if (address.len == 0) {
		buf_add(out, STR("localhost"));
		return;
	}
	bool is_ipv6 = str_find_byte(address, ':') < address.len;

	buf_printf(out, "[%s%.*s]", is_ipv6 ? "IPv6:" : "", STR_FMT(address));
}

static void add_from(struct buf *out, const struct message_hop *hop)
{
	buf_add(out, STR("from "));
	if (hop->is_host_valid) {
		buf_printf(out, "%.*s (", STR_FMT(hop->client));
		add_literal(out, hop->peer);
	} else {
		add_literal(out, hop->peer);
		buf_add(out, STR(" (helo="));
		add_words(out, hop->client);
	}
	buf_add(out, STR(")\r\n\t"));
}

void message_received_add(struct buf *out, const struct message_hop *hop)
{
	buf_add(out, STR("Received: "));
	if (!hop->is_local)
		add_from(out, hop);
	buf_printf(out, "by %.*s", STR_FMT(hop->hostname));
	if (hop->is_local)
		buf_printf(out, " (Postrider, from user %u)", hop->uid);
	else
		buf_printf(out, " with %.*s", STR_FMT(hop->protocol));
	if (hop->tls.len > 0)
		buf_printf(out, "\r\n\t(%.*s)", STR_FMT(hop->tls));
	buf_printf(out, "\r\n\tid %.*s", STR_FMT(hop->id));
	if (hop->rcpt.len > 0)
		buf_printf(out, "\r\n\tfor <%.*s>", STR_FMT(hop->rcpt));
	buf_add(out, STR(";\r\n\t"));
	mail_date_add(out, hop->at, 0);
	buf_add(out, STR("\r\n"));
}

void message_return_path_add(struct buf *out, struct str sender)
{
	buf_printf(out, "Return-Path: <%.*s>\r\n", STR_FMT(sender));
}
