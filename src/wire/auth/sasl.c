#include "wire/auth/sasl.h"

#include "base/base64.h"
#include "base/utf8.h"

enum sasl_mechanism sasl_mechanism_find(struct str name)
{
	if (str_same_nocase(name, STR("PLAIN")))
		return SASL_PLAIN;
	if (str_same_nocase(name, STR("LOGIN")))
		return SASL_LOGIN;
	return SASL_OTHER;
}

enum sasl_line sasl_line_decode(struct str line, struct buf *out)
{
	buf_reset(out);
	if (str_same(line, STR("*")))
		return SASL_LINE_CANCEL;
	return base64_decode(line, out) ? SASL_LINE_DATA : SASL_LINE_BAD;
}

enum sasl_line sasl_initial_decode(struct str initial, struct buf *out)
{
	buf_reset(out);
	if (str_same(initial, STR("=")))
		return SASL_LINE_DATA;
	return base64_decode(initial, out) ? SASL_LINE_DATA : SASL_LINE_BAD;
}

/* SAFE = any UTF-8 character but NUL; 1*SAFE.  RFC 4616 §2. */
bool sasl_login_is_valid(struct str text)
{
	return text.len > 0 && text.len <= SASL_NAME_MAX &&
	       str_find_byte(text, '\0') == text.len && utf8_valid(text);
}

bool sasl_plain_parse(struct str message, struct sasl_plain *plain)
{
	struct str rest = message;
	struct sasl_plain found;

	found.authzid = str_cut(&rest, '\0');
	found.authcid = str_cut(&rest, '\0');
	found.password = rest;
	if (!sasl_login_is_valid(found.authcid) || !sasl_login_is_valid(found.password) ||
	    (found.authzid.len > 0 && !sasl_login_is_valid(found.authzid)))
		return false;
	*plain = found;
	return true;
}
