#include "wire/smtp/path.h"

#include "base/utf8.h"

/* Dot-string = Atom *("." Atom).  RFC 5321 §4.1.2, with UTF-8 in atext: RFC 6531 §3.3. */
static bool dot_string(struct cursor *c, enum smtp_charset charset)
{
	do {
		struct cursor from = *c;

		while (cur_run(c, CSET_ATEXT) > 0 ||
		       (charset == SMTP_UTF8 && smtp_utf8_take(c)))
			continue;
		if (c->at == from.at)
			return false;
	} while (cur_byte(c, '.'));
	return true;
}

/* Quoted-string = DQUOTE *QcontentSMTP DQUOTE.  RFC 5321 §4.1.2. */
static bool quoted_string(struct cursor *c, enum smtp_charset charset)
{
	if (!cur_byte(c, '"'))
		return false;
	for (;;) {
		if (cur_run(c, CSET_QTEXT) > 0 ||
		    (charset == SMTP_UTF8 && smtp_utf8_take(c)))
			continue;
		if (cur_byte(c, '"'))
			return true;
		if (!cur_byte(c, '\\') || !cur_one(c, CSET_PRINT))
			return false;
	}
}

/* Mailbox = Local-part "@" ( Domain / address-literal ).  RFC 5321 §4.1.2. */
static bool mailbox(struct cursor *c, enum smtp_charset charset, struct smtp_path *path)
{
	struct cursor from = *c;

	if (!(cur_sees(*c, '"') ? quoted_string(c, charset) : dot_string(c, charset)))
		return false;
	path->local = cur_since(from, *c);
	if (!cur_byte(c, '@'))
		return false;
	from = *c;
	if (!(cur_sees(*c, '[') ? smtp_literal_take(c) : smtp_domain_take(c, charset)))
		return false;
	path->domain = cur_since(from, *c);
	path->is_utf8 = utf8_ascii_len(path->local) < path->local.len ||
			utf8_ascii_len(path->domain) < path->domain.len;
	return path->local.len <= SMTP_LOCAL_MAX;
}

/* A-d-l ":" is taken and ignored: "@a.example,@b.example:".  RFC 5321 §4.1.1.3, app. C.
 */
static bool source_route(struct cursor *c)
{
	do {
		if (!cur_byte(c, '@') || !smtp_domain_take(c, SMTP_ASCII))
			return false;
	} while (cur_byte(c, ','));
	return cur_byte(c, ':');
}

/* The one address without a domain, in any case.  RFC 5321 §4.5.1. */
static bool postmaster(struct cursor *c, struct smtp_path *path)
{
	struct cursor at = *c;

	cur_run(&at, CSET_ATEXT);
	struct str word = cur_since(*c, at);

	if (!str_same_nocase(word, STR("postmaster")) || !cur_sees(at, '>'))
		return false;
	path->local = word;
	*c = at;
	return true;
}

bool smtp_path_parse(struct cursor *c, enum smtp_charset charset, struct smtp_path *path)
{
	struct cursor at = *c;
	struct smtp_path found = {0};

	if (!cur_byte(&at, '<'))
		return false;
	if (cur_sees(at, '@')) {
		if (!source_route(&at) || !mailbox(&at, charset, &found))
			return false;
	} else if (!cur_sees(at, '>')) {
		if (!postmaster(&at, &found) && !mailbox(&at, charset, &found))
			return false;
	}
	if (!cur_byte(&at, '>') || cur_since(*c, at).len > SMTP_PATH_MAX)
		return false;
	*c = at;
	*path = found;
	return true;
}

bool smtp_mailbox_parse(struct str text, enum smtp_charset charset,
			struct smtp_path *path)
{
	struct cursor c = cur_over(text);
	struct smtp_path found = {0};

	if (text.len > SMTP_PATH_MAX - 2 || !mailbox(&c, charset, &found) || !cur_done(c))
		return false;
	*path = found;
	return true;
}

bool smtp_local_plain(struct str local, struct arena *arena, struct str *plain)
{
	*plain = local;
	if (local.len < 2 || local.ptr[0] != '"')
		return true;
	char *copy = ARENA_ARRAY(arena, char, local.len);
	size_t len = 0;

	if (!copy)
		return false;
	for (size_t i = 1; i < local.len - 1; i++) {
		if (local.ptr[i] == '\\' && i + 1 < local.len - 1)
			i++;
		copy[len++] = local.ptr[i];
	}
	*plain = (struct str){copy, len};
	return true;
}
