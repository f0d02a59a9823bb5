#include "wire/smtp/domain.h"

#include "base/num.h"
#include "base/utf8.h"

static struct str rest_of(struct cursor c)
{
	return (struct str){c.at, (size_t)(c.end - c.at)};
}

bool smtp_utf8_take(struct cursor *c)
{
	struct str rest = rest_of(*c);
	uint32_t code;

	if (rest.len == 0 || (unsigned char)rest.ptr[0] < 0x80 ||
	    !utf8_take(&rest, &code))
		return false;
	if (code < 0xa0)
		return false; /* C1 controls; no name has them, and terminals obey them */
	c->at = rest.ptr;
	return true;
}

/* sub-domain = Let-dig [Ldh-str], at most 63 octets; or a U-label, whose length in the
 * DNS is another, so that only the whole bounds it.  RFC 5321 §4.1.2, RFC 6531 §3.3. */
static bool label(struct cursor *c, enum smtp_charset charset)
{
	struct cursor from = *c;
	bool is_ascii = true;

	for (;;) {
		if (cur_run(c, CSET_LDH) > 0)
			continue;
		if (charset == SMTP_ASCII || !smtp_utf8_take(c))
			break;
		is_ascii = false;
	}
	struct str found = cur_since(from, *c);

	return found.len > 0 && found.ptr[0] != '-' && found.ptr[found.len - 1] != '-' &&
	       (found.len <= SMTP_LABEL_MAX || !is_ascii);
}

bool smtp_domain_take(struct cursor *c, enum smtp_charset charset)
{
	struct cursor at = *c;

	do {
		if (!label(&at, charset))
			return false;
	} while (cur_byte(&at, '.'));
	if (cur_since(*c, at).len > SMTP_DOMAIN_MAX)
		return false;
	*c = at;
	return true;
}

/* IPv4-address-literal = Snum 3("." Snum), each 0 to 255.  RFC 5321 §4.1.3. */
bool smtp_ipv4_is_valid(struct str text)
{
	for (int i = 0; i < 4; i++) {
		size_t end = str_find_byte(text, '.');
		uint64_t number;

		if ((i < 3) != (end < text.len) || end > 3 ||
		    !num_parse(str_first(text, end), 255, &number))
			return false;
		text = str_skip(text, end + 1);
	}
	return true;
}

/* IPv6-hex, and an IPv4 address as the last two groups.  Lenient: "::" may stand for a
 * single group too, as RFC 4291 §2.2 writes addresses. */
bool smtp_ipv6_is_valid(struct str text)
{
	size_t groups = 0;
	bool is_short = false;

	if (str_starts(text, STR("::"))) {
		is_short = true;
		text = str_skip(text, 2);
	}
	while (text.len > 0) {
		size_t len = 0;

		while (len < text.len && num_hex(text.ptr[len]) >= 0)
			len++;
		if (len < text.len && text.ptr[len] == '.')
			return groups <= 6 && smtp_ipv4_is_valid(text) &&
			       (is_short ? groups < 6 : groups == 6);
		if (len == 0 || len > 4 || ++groups > 8)
			return false;
		text = str_skip(text, len);
		if (text.len == 0)
			break;
		if (text.ptr[0] != ':' || text.len == 1)
			return false;
		text = str_skip(text, 1);
		if (text.ptr[0] != ':')
			continue;
		if (is_short)
			return false;
		is_short = true;
		text = str_skip(text, 1);
	}
	return is_short ? groups < 8 : groups == 8;
}

/* address-literal; of the tagged kinds only IPv6 was ever registered.
 * RFC 5321 §4.1.3. */
bool smtp_literal_take(struct cursor *c)
{
	struct cursor at = *c;

	if (!cur_byte(&at, '['))
		return false;
	struct cursor from = at;

	cur_run(&at, CSET_DTEXT);
	struct str inside = cur_since(from, at);

	if (!cur_byte(&at, ']'))
		return false;
	if (!(str_starts_nocase(inside, STR("IPv6:"))
		      ? smtp_ipv6_is_valid(str_skip(inside, 5))
		      : smtp_ipv4_is_valid(inside)))
		return false;
	*c = at;
	return true;
}

bool smtp_host_is_valid(struct str text)
{
	struct cursor c = cur_over(text);

	if (cur_sees(c, '['))
		return smtp_literal_take(&c) && cur_done(c);
	return smtp_domain_take(&c, SMTP_UTF8) && cur_done(c);
}
