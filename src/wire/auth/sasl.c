#include "wire/auth/sasl.h"

#include "base/base64.h"
#include "base/utf8.h"

enum sasl_mechanism sasl_mechanism_find(struct str name)
{
	if (str_same_nocase(name, STR("PLAIN")))
		return SASL_PLAIN;
	if (str_same_nocase(name, STR("LOGIN")))
		return SASL_LOGIN;
	if (str_same_nocase(name, STR("SCRAM-SHA-256")))
		return SASL_SCRAM_SHA_256;
	if (str_same_nocase(name, STR("SCRAM-SHA-256-PLUS")))
		return SASL_SCRAM_SHA_256_PLUS;
	if (str_same_nocase(name, STR("EXTERNAL")))
		return SASL_EXTERNAL;
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

bool sasl_external_is_valid(struct str authzid)
{
	return authzid.len == 0 || sasl_login_is_valid(authzid);
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

void sasl_init(struct sasl_exchange *x, enum sasl_mechanism mechanism)
{
	*x = (struct sasl_exchange){.mechanism = mechanism,
				    .first = BUF(SASL_TEXT_MAX),
				    .second = BUF(SASL_TEXT_MAX)};
}

static void wipe(struct buf *buf)
{
	if (buf->room > 0)
		explicit_bzero(buf->ptr, buf->room);
	buf_fini(buf);
}

void sasl_fini(struct sasl_exchange *x)
{
	wipe(&x->first);
	wipe(&x->second);
	x->name = x->password = STR("");
}

static enum sasl_state plain_taken(struct sasl_exchange *x)
{
	struct sasl_plain plain;

	if (!sasl_plain_parse(buf_str(&x->first), &plain))
		return SASL_MALFORMED;
	if (plain.authzid.len > 0 && !str_same_nocase(plain.authzid, plain.authcid))
		return SASL_FOR_OTHER;
	x->name = plain.authcid;
	x->password = plain.password;
	return SASL_READY;
}

/* What the client sent last was decoded.  LOGIN's challenges are "Username:" and
 * "Password:", which some clients compare. */
static enum sasl_state taken(struct sasl_exchange *x)
{
	if (x->mechanism == SASL_PLAIN)
		return plain_taken(x);
	if (x->name.len == 0) {
		x->name = buf_str(&x->first);
		x->challenge = "UGFzc3dvcmQ6";
		return sasl_login_is_valid(x->name) ? SASL_ASK : SASL_MALFORMED;
	}
	x->password = buf_str(&x->second);
	return sasl_login_is_valid(x->password) ? SASL_READY : SASL_MALFORMED;
}

static enum sasl_state decoded(struct sasl_exchange *x, enum sasl_line line)
{
	switch (line) {
	case SASL_LINE_DATA:
		return taken(x);
	case SASL_LINE_CANCEL:
		return SASL_CANCELED;
	case SASL_LINE_BAD:
		break;
	}
	return SASL_NOT_BASE64;
}

enum sasl_state sasl_first(struct sasl_exchange *x, struct str initial)
{
	if (initial.len > 0)
		return decoded(x, sasl_initial_decode(initial, &x->first));
	x->challenge = x->mechanism == SASL_LOGIN ? "VXNlcm5hbWU6" : "";
	return SASL_ASK;
}

enum sasl_state sasl_answer(struct sasl_exchange *x, struct str line)
{
	return decoded(x,
		       sasl_line_decode(line, x->name.len == 0 ? &x->first : &x->second));
}
