#include "wire/dns/rdata.h"

/* What may stand in a label; hosts have less, service names have underscores, and old
 * zones have more than that. */
static bool is_plain(char c)
{
	return c > ' ' && c < 127 && c != '.' && c != '\\' && c != '"';
}

static bool take_u8(struct str *rest, uint8_t *value)
{
	if (rest->len < 1)
		return false;
	*value = (uint8_t)rest->ptr[0];
	*rest = str_skip(*rest, 1);
	return true;
}

static bool take_u16(struct str *rest, uint16_t *value)
{
	uint8_t high, low;

	if (!take_u8(rest, &high) || !take_u8(rest, &low))
		return false;
	*value = (uint16_t)(high << 8 | low);
	return true;
}

/* One label into room at len, with a dot in front unless it is the first. */
static bool take_label(struct str *rest, size_t size, char *room, size_t *len)
{
	if (size > DNS_LABEL_MAX || size > rest->len || *len + size + 1 > DNS_NAME_MAX)
		return false; /* a pointer of compression (RFC 1035 §4.1.4) is too big */
	if (*len > 0)
		room[(*len)++] = '.';
	for (size_t i = 0; i < size; i++) {
		if (!is_plain(rest->ptr[i]))
			return false;
		room[(*len)++] = ascii_lower(rest->ptr[i]);
	}
	*rest = str_skip(*rest, size);
	return true;
}

/* The name that fills the rest.  RFC 1035 §3.1. */
static bool last_name(struct str rest, struct arena *arena, struct str *name)
{
	char room[DNS_NAME_MAX + 1];
	size_t len = 0;
	uint8_t size;

	for (;;) {
		if (!take_u8(&rest, &size))
			return false;
		if (size == 0)
			break;
		if (!take_label(&rest, size, room, &len))
			return false;
	}
	return rest.len == 0 && arena_copy(arena, (struct str){room, len}, name);
}

bool dns_mx_read(struct str data, struct arena *arena, struct dns_mx *mx)
{
	return take_u16(&data, &mx->preference) && last_name(data, arena, &mx->host);
}

bool dns_srv_read(struct str data, struct arena *arena, struct dns_srv *srv)
{
	return take_u16(&data, &srv->priority) && take_u16(&data, &srv->weight) &&
	       take_u16(&data, &srv->port) && last_name(data, arena, &srv->host);
}

bool dns_tlsa_read(struct str data, struct dns_tlsa *tlsa)
{
	if (!take_u8(&data, &tlsa->usage) || !take_u8(&data, &tlsa->selector) ||
	    !take_u8(&data, &tlsa->matching))
		return false;
	tlsa->association = data;
	return data.len > 0;
}

bool dns_caa_read(struct str data, struct dns_caa *caa)
{
	uint8_t size;

	if (!take_u8(&data, &caa->flags) || !take_u8(&data, &size) || size == 0 ||
	    size > data.len)
		return false;
	for (size_t i = 0; i < data.len; i++)
		if (data.ptr[i] < ' ' || data.ptr[i] > '~')
			return false;
	caa->tag = str_first(data, size);
	caa->value = str_skip(data, size);
	return true;
}

bool dns_host_read(struct str data, struct arena *arena, struct str *host)
{
	return last_name(data, arena, host);
}

bool dns_txt_read(struct str data, struct arena *arena, struct str *text)
{
	char *room = arena_alloc(arena, data.len, 1); /* more than enough */
	size_t len = 0;
	uint8_t size;

	if (!room)
		return false;
	while (data.len > 0) {
		if (!take_u8(&data, &size) || size > data.len)
			return false;
		if (size > 0)
			memcpy(room + len, data.ptr, size);
		len += size;
		data = str_skip(data, size);
	}
	*text = (struct str){room, len};
	return true;
}

static bool is_odd(char c)
{
	return c == ' ' || c == '"';
}

static bool is_name(struct str name, bool may_be_odd)
{
	if (name.len > 0 && name.ptr[name.len - 1] == '.')
		name.len--;
	if (name.len > DNS_NAME_MAX - 2 ||
	    (name.len > 0 && name.ptr[name.len - 1] == '.'))
		return false;
	do {
		struct str label = str_cut(&name, '.');

		if (label.len == 0 || label.len > DNS_LABEL_MAX)
			return false;
		for (size_t i = 0; i < label.len; i++)
			if (!is_plain(label.ptr[i]) &&
			    !(may_be_odd && is_odd(label.ptr[i])))
				return false;
	} while (name.len > 0);
	return true;
}

bool dns_name_is_valid(struct str name)
{
	return is_name(name, false);
}

bool dns_name_is_askable(struct str name)
{
	return is_name(name, true);
}
