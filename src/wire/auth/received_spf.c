#include "wire/auth/received_spf.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_letter(char c)
{
	return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

/* The comment behind the result, which may nest.  RFC 5322 §3.2.2 */
static size_t comment_len(struct str text)
{
	size_t depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\\')
			i++;
		else if (text.ptr[i] == '(')
			depth++;
		else if (text.ptr[i] == ')' && --depth == 0)
			return i + 1;
	}
	return 0;
}

static struct str take_value(struct str *rest)
{
	bool is_quoted = str_starts(*rest, STR("\""));
	size_t len = 0;

	*rest = str_skip(*rest, is_quoted);
	while (len < rest->len &&
	       (is_quoted ? rest->ptr[len] != '"'
			  : !is_space(rest->ptr[len]) && rest->ptr[len] != ';'))
		len++;
	struct str value = str_first(*rest, len);

	*rest = str_skip(*rest, len + is_quoted);
	if (str_starts(value, STR("<")) && str_ends(value, STR(">")) && value.len > 1)
		value = str_first(str_skip(value, 1), value.len - 2);
	return value;
}

/* key-value-pair; of two of one key the first counts. */
static void take_pair(struct str *rest, struct received_spf *spf)
{
	struct {
		struct str key, *value;
	} known[] = {{STR("receiver"), &spf->receiver},
		     {STR("client-ip"), &spf->client_ip},
		     {STR("envelope-from"), &spf->sender},
		     {STR("helo"), &spf->helo}};
	size_t len = 0;

	while (len < rest->len && (is_letter(rest->ptr[len]) || rest->ptr[len] == '-'))
		len++;
	struct str key = str_first(*rest, len);

	if (len == 0 || !str_starts(str_skip(*rest, len), STR("="))) {
		*rest = str_skip(*rest, len + 1);
		return;
	}
	*rest = str_skip(*rest, len + 1);
	struct str value = take_value(rest);

	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (str_same_nocase(key, known[i].key) && known[i].value->len == 0)
			*known[i].value = value;
	}
}

bool received_spf_parse(struct str value, struct received_spf *spf)
{
	struct str rest = str_trim(str_first(value, RECEIVED_SPF_BYTES_MAX));
	size_t len = 0;

	while (len < rest.len && is_letter(rest.ptr[len]))
		len++;
	if (len == 0)
		return false;
	*spf = (struct received_spf){.result = str_first(rest, len)};
	rest = str_trim(str_skip(rest, len));
	if (str_starts(rest, STR("(")))
		rest = str_skip(rest, comment_len(rest));
	while (rest.len > 0)
		take_pair(&rest, spf);
	return true;
}
