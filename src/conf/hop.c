#include "conf/hop.h"

#include "base/num.h"

static const struct {
	struct str name;
	enum hop_scheme scheme;
} schemes[] = {
	{STR("smtp:"), HOP_SMTP},
	{STR("lmtp:"), HOP_LMTP},
	{STR("submission:"), HOP_SUBMISSION},
	{STR("submissions:"), HOP_SUBMISSIONS},
};

static bool is_host_octet(char c)
{
	char low = ascii_lower(c);

	return (low >= 'a' && low <= 'z') || is_ascii_digit((unsigned char)c) ||
	       c == '-' || c == '.' || c == '_';
}

static bool is_name(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_host_octet(text.ptr[i]))
			return false;
	return text.len > 0 && text.len <= 253 && text.ptr[0] != '.';
}

/* An address of either kind is looked at when it is used. */
static bool is_name_or_address(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_host_octet(text.ptr[i]) && text.ptr[i] != ':')
			return false;
	return text.len > 0 && text.len <= 253;
}

/* [":" PORT] to the end. */
static bool read_port(struct str text, uint16_t *port)
{
	uint64_t number = 0;

	if (text.len > 0 &&
	    (text.ptr[0] != ':' || !num_parse(str_skip(text, 1), UINT16_MAX, &number) ||
	     number == 0))
		return false;
	*port = (uint16_t)number;
	return true;
}

static bool read_host(struct str text, struct conf_hop *hop)
{
	hop->is_literal = str_starts(text, STR("["));
	if (!hop->is_literal) {
		size_t colon = str_find_byte(text, ':');

		hop->host = str_first(text, colon);
		return is_name(hop->host) && read_port(str_skip(text, colon), &hop->port);
	}
	size_t end = str_find_byte(text, ']');

	hop->host = str_skip(str_first(text, end), 1);
	return end < text.len && is_name_or_address(hop->host) &&
	       read_port(str_skip(text, end + 1), &hop->port);
}

bool conf_hop_parse(struct str text, struct conf_hop *hop)
{
	*hop = (struct conf_hop){HOP_MX, STR(""), false, 0};
	if (str_same(text, STR("mx")))
		return true;
	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		if (!str_starts(text, schemes[i].name))
			continue;
		hop->scheme = schemes[i].scheme;
		return read_host(str_skip(text, schemes[i].name.len), hop);
	}
	return false;
}

struct str conf_next_word(struct str *rest)
{
	size_t len = 0;

	while (rest->len > 0 && memchr(" ,\t", rest->ptr[0], 3))
		*rest = str_skip(*rest, 1);
	while (len < rest->len && !memchr(" ,\t", rest->ptr[len], 3))
		len++;
	struct str word = str_first(*rest, len);

	*rest = str_skip(*rest, len);
	return word;
}

bool conf_route_next(struct str *rest, struct conf_route *route)
{
	static const struct str from = {"from:", sizeof "from:" - 1};
	struct str after = *rest;
	struct str word = conf_next_word(&after);
	struct str domain = str_cut(&word, '=');

	*route = (struct conf_route){0};
	if (domain.len == 0) {
		*rest = word;
		return false;
	}
	route->is_of_sender = str_starts(domain, from);
	if (route->is_of_sender)
		domain = str_skip(domain, from.len);
	route->is_below = str_starts(domain, STR("."));
	route->domain = route->is_below ? str_skip(domain, 1) : domain;
	if (!is_name(route->domain) || !conf_hop_parse(word, &route->hop))
		return false;
	*rest = after;
	return true;
}
