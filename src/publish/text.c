/* Records as zone files write them: RFC 1035 §5.1. */
#include "publish/plan.h"

enum { STRING_MAX = 255 };

static const struct {
	const char *name;
	enum dns_type type;
} types[] = {
	{"A", DNS_A},       {"AAAA", DNS_AAAA},   {"MX", DNS_MX},
	{"TXT", DNS_TXT},   {"PTR", DNS_PTR},     {"SRV", DNS_SRV},
	{"TLSA", DNS_TLSA}, {"CNAME", DNS_CNAME}, {"CAA", DNS_CAA},
};

const char *publish_type_name(enum dns_type type)
{
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (types[i].type == type)
			return types[i].name;
	return "";
}

bool publish_find_type(struct str name, enum dns_type *type)
{
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		if (!str_same_nocase(name, str_c(types[i].name)))
			continue;
		*type = types[i].type;
		return true;
	}
	return false;
}

bool publish_is_within(struct str name, struct str domain)
{
	if (str_same_nocase(name, domain))
		return true;
	return name.len > domain.len + 1 && name.ptr[name.len - domain.len - 1] == '.' &&
	       str_same_nocase(str_skip(name, name.len - domain.len), domain);
}

static void print_string(struct str text, struct buf *out)
{
	buf_add_byte(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c == '"' || c == '\\')
			buf_add_byte(out, '\\');
		if (c < ' ' || c > '~')
			buf_printf(out, "\\%03u", c);
		else
			buf_add_byte(out, (char)c);
	}
	buf_add_byte(out, '"');
}

void publish_print_text(struct str text, struct buf *out)
{
	print_string(str_first(text, STRING_MAX), out);
	while (text.len > STRING_MAX) {
		text = str_skip(text, STRING_MAX);
		buf_add_byte(out, ' ');
		print_string(str_first(text, STRING_MAX), out);
	}
}

void publish_print(const struct publish_record *record, struct buf *out)
{
	buf_printf(out, "%.*s. %u IN %s ", STR_FMT(record->name), PUBLISH_TTL_S,
		   publish_type_name(record->type));
	if (record->type == DNS_TXT)
		publish_print_text(record->data, out);
	else
		buf_add(out, record->data);
	buf_add_byte(out, '\n');
}

static struct str hex_text(struct arena *arena, struct str data)
{
	SCOPED(buf_fini) struct buf hex = BUF(2 * data.len + 1);
	struct str text = STR("");

	for (size_t i = 0; i < data.len; i++)
		buf_printf(&hex, "%02x", (unsigned char)data.ptr[i]);
	return arena_copy(arena, buf_str(&hex), &text) ? text : STR("");
}

static struct str address_text(struct arena *arena, struct str data)
{
	char text[IP_TEXT_BYTES];
	struct ip ip;

	if (!ip_read(data, &ip))
		return hex_text(arena, data);
	return arena_printf(arena, "%.*s", STR_FMT(ip_text(&ip, text)));
}

struct str publish_data(enum dns_type type, struct str data, struct arena *arena)
{
	struct dns_mx mx;
	struct dns_srv srv;
	struct dns_tlsa tlsa;
	struct dns_caa caa;
	struct str text;

	if (type == DNS_A || type == DNS_AAAA)
		return address_text(arena, data);
	if (type == DNS_MX && dns_mx_read(data, arena, &mx))
		return arena_printf(arena, "%u %.*s.", mx.preference, STR_FMT(mx.host));
	if (type == DNS_SRV && dns_srv_read(data, arena, &srv))
		return arena_printf(arena, "%u %u %u %.*s.", srv.priority, srv.weight,
				    srv.port, STR_FMT(srv.host));
	if (type == DNS_TLSA && dns_tlsa_read(data, &tlsa))
		return arena_printf(arena, "%u %u %u %.*s", tlsa.usage, tlsa.selector,
				    tlsa.matching,
				    STR_FMT(hex_text(arena, tlsa.association)));
	if (type == DNS_CAA && dns_caa_read(data, &caa))
		return arena_printf(arena, "%u %.*s \"%.*s\"", caa.flags,
				    STR_FMT(caa.tag), STR_FMT(caa.value));
	if (type == DNS_TXT && dns_txt_read(data, arena, &text))
		return text;
	if ((type == DNS_PTR || type == DNS_CNAME) && dns_host_read(data, arena, &text))
		return arena_printf(arena, "%.*s.", STR_FMT(text));
	return hex_text(arena, data);
}
