#include "fetch/codec.h"

#include "base/num.h"
#include "wire/dns/rdata.h"
#include "wire/smtp/domain.h"

enum { WORD_MAX = 300, DEFAULT_PORT = 443 };

static const struct str scheme = {"https://", 8};

/* Without blanks and controls, so that it stays one word wherever it is put. */
static bool is_word(struct str text, size_t max)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] >= 127)
			return false;
	return text.len <= max;
}

/* A port that is written is a number. */
static bool take_port(struct str text, uint16_t *port)
{
	uint64_t number;

	if (!num_parse(text, UINT16_MAX, &number) || number == 0)
		return false;
	*port = (uint16_t)number;
	return true;
}

bool fetch_url_split(struct str url, struct str *host, uint16_t *port)
{
	uint16_t found = DEFAULT_PORT;

	if (url.len > FETCH_URL_MAX || !str_starts_nocase(url, scheme) ||
	    !is_word(url, FETCH_URL_MAX))
		return false;
	struct str rest = str_skip(url, scheme.len);
	size_t len = 0;

	while (len < rest.len && !memchr("/?#", rest.ptr[len], 3))
		len++;
	struct str name = str_first(rest, len);
	size_t colon = str_find_byte(name, ':');

	if (colon < name.len && !take_port(str_skip(name, colon + 1), &found))
		return false;
	name = str_first(name, colon);
	struct cursor c = cur_over(name);

	if (!smtp_domain_take(&c, SMTP_ASCII) || !cur_done(c) ||
	    smtp_ipv4_is_valid(name) || !dns_name_is_valid(name))
		return false;
	*host = name;
	*port = found;
	return true;
}

void fetch_encode_request(struct buf *body, const struct fetch_request *request)
{
	enc_str(body, request->url);
	enc_u8(body, (uint8_t)request->address_count);
	for (size_t i = 0; i < request->address_count; i++)
		enc_str(body, request->addresses[i]);
	enc_u8(body, request->is_post);
	enc_str(body, request->body);
	enc_str(body, request->media_type);
	enc_u32(body, request->reply_max);
	enc_u32(body, request->timeout_s);
}

bool fetch_decode_request(struct str body, struct fetch_request *request)
{
	struct dec dec = dec_over(body);

	*request = (struct fetch_request){.url = dec_str(&dec),
					  .address_count = dec_u8(&dec)};
	if (request->address_count == 0 || request->address_count > FETCH_ADDRESSES_MAX)
		return false;
	for (size_t i = 0; i < request->address_count; i++) {
		request->addresses[i] = dec_str(&dec);
		if (!smtp_ipv4_is_valid(request->addresses[i]) &&
		    !smtp_ipv6_is_valid(request->addresses[i]))
			return false;
	}
	request->is_post = dec_u8(&dec) == 1;
	request->body = dec_str(&dec);
	request->media_type = dec_str(&dec);
	request->reply_max = dec_u32(&dec);
	request->timeout_s = dec_u32(&dec);
	return dec_done(&dec) && is_word(request->media_type, WORD_MAX) &&
	       request->body.len <= FETCH_BODY_MAX &&
	       request->reply_max <= FETCH_REPLY_MAX && request->timeout_s > 0 &&
	       request->timeout_s <= FETCH_WAIT_MAX_S &&
	       fetch_url_split(request->url, &request->host, &request->port);
}

void fetch_encode_reply(struct buf *body, const struct fetch_reply *reply)
{
	enc_u8(body, (uint8_t)reply->outcome);
	enc_u16(body, reply->status);
	enc_str(body, reply->media_type);
	enc_str(body, reply->body);
	enc_str(body, reply->why);
}

bool fetch_decode_reply(struct str body, struct fetch_reply *reply)
{
	struct dec dec = dec_over(body);
	uint8_t outcome = dec_u8(&dec);

	*reply = (struct fetch_reply){.outcome = (enum fetch_outcome)outcome,
				      .status = dec_u16(&dec),
				      .media_type = dec_str(&dec),
				      .body = dec_str(&dec),
				      .why = dec_str(&dec)};
	return dec_done(&dec) && outcome < FETCH_OUTCOMES &&
	       reply->body.len <= FETCH_REPLY_MAX;
}
