#include "wire/auth/oauth.h"

#include "base/num.h"
#include "base/utf8.h"

#define KVSEP '\1'

/* b64token = 1*(ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/") *"=".
 * RFC 6750 §2.1. */
static bool token_is_valid(struct str token)
{
	struct cursor c = cur_over(token);

	while (cur_run(&c, CSET_LDH) > 0 || cur_byte(&c, '.') || cur_byte(&c, '_') ||
	       cur_byte(&c, '~') || cur_byte(&c, '+') || cur_byte(&c, '/'))
		continue;
	if (c.at == token.ptr)
		return false;
	while (cur_byte(&c, '='))
		continue;
	return cur_done(c);
}

/* credentials = "Bearer" 1*SP b64token, the scheme without regard to case.  RFC 6750
 * §2.1, RFC 9110 §11.1. */
static bool credentials_read(struct str value, struct str *token)
{
	const struct str scheme = STR("Bearer ");

	if (!str_starts_nocase(value, scheme))
		return false;
	value = str_skip(value, scheme.len);
	while (str_starts(value, STR(" ")))
		value = str_skip(value, 1);
	*token = value;
	return token_is_valid(value);
}

/* value = *(VCHAR / SP / HTAB / CR / LF) */
static bool value_is_valid(struct str value)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];

		if ((c < 0x20 || c > 0x7e) && c != '\t' && c != '\r' && c != '\n')
			return false;
	}
	return true;
}

/* key = 1*(ALPHA) */
static bool key_is_valid(struct str key)
{
	for (size_t i = 0; i < key.len; i++)
		if (ascii_lower(key.ptr[i]) < 'a' || ascii_lower(key.ptr[i]) > 'z')
			return false;
	return key.len > 0;
}

/* A key that we know may come once only, so that all who read the message agree. */
static bool pair_read(struct str pair, struct oauth_response *response)
{
	size_t equals = str_find_byte(pair, '=');
	struct str key = str_first(pair, equals), value = str_skip(pair, equals + 1);
	uint64_t port;

	if (equals == pair.len || !key_is_valid(key) || !value_is_valid(value))
		return false;
	if (str_same(key, STR("auth")))
		return response->token.len == 0 &&
		       credentials_read(value, &response->token);
	if (str_same(key, STR("host"))) {
		bool is_first = response->host.len == 0;

		response->host = value;
		return is_first;
	}
	if (str_same(key, STR("port"))) {
		if (response->port != 0 || str_starts(value, STR("0")) ||
		    !num_parse(value, UINT16_MAX, &port))
			return false;
		response->port = (uint16_t)port;
	}
	return true;
}

bool oauth_bearer_parse(struct str message, struct arena *arena,
			struct oauth_response *response)
{
	struct oauth_response found = {0};
	struct cursor c = cur_over(message);
	struct gs2_header gs2;

	/* There is no -PLUS, so nothing could be bound. */
	if (gs2_header_take(&c, arena, &gs2) != GS2_FINE ||
	    gs2.binding == GS2_BINDING_USED || !cur_byte(&c, KVSEP))
		return false;
	found.user = gs2.authzid;
	struct str rest = {c.at, (size_t)(c.end - c.at)};

	while (rest.len > 0 && rest.ptr[0] != KVSEP) {
		if (str_find_byte(rest, KVSEP) == rest.len ||
		    !pair_read(str_cut(&rest, KVSEP), &found))
			return false;
	}
	if (rest.len != 1 || found.token.len == 0)
		return false;
	*response = found;
	return true;
}

bool oauth_xoauth2_parse(struct str message, struct oauth_response *response)
{
	struct oauth_response found = {0};
	struct str rest = message;
	struct str user = str_cut(&rest, KVSEP), auth = str_cut(&rest, KVSEP);

	if (!str_starts(user, STR("user=")) || !str_starts(auth, STR("auth=")) ||
	    rest.len != 1 || rest.ptr[0] != KVSEP)
		return false;
	found.user = str_skip(user, 5);
	if (found.user.len == 0 || !utf8_valid(found.user) ||
	    str_find_byte(found.user, '\0') < found.user.len ||
	    !credentials_read(str_skip(auth, 5), &found.token))
		return false;
	*response = found;
	return true;
}

bool oauth_is_dismissal(struct str message)
{
	return message.len == 0 || (message.len == 1 && message.ptr[0] == KVSEP);
}
