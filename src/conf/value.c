/* The values of settings: from text and back. */
#include <arpa/inet.h>

#include "base/num.h"
#include "conf/hop.h"
#include "conf/setting.h"

static const char *const level_names[] = {"error", "warn", "info", "debug"};

/* The last one is 1. */
struct unit {
	const char *name;
	uint64_t count;
};
static const struct unit sizes[] = {
	{"GiB", 1024 * 1024 * 1024}, {"MiB", 1024 * 1024}, {"KiB", 1024}, {"", 1}};
static const struct unit spans[] = {{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}};
static const struct unit plain[] = {{"", 1}};

static void *field(const struct setting *setting, const struct conf *conf)
{
	return (char *)(uintptr_t)conf + setting->offset;
}

/* "192.0.2.1", or "2001:db8::1" if in brackets: without them. */
static bool read_address(struct str text, struct arena *arena, struct str *address)
{
	bool is_bracketed = str_starts(text, STR("[")) && str_ends(text, STR("]"));
	unsigned char octets[16];
	char c_text[64];

	if (is_bracketed)
		text = str_first(str_skip(text, 1), text.len - 2);
	return str_to_c(text, c_text, sizeof c_text) &&
	       inet_pton(is_bracketed ? AF_INET6 : AF_INET, c_text, octets) == 1 &&
	       arena_copy(arena, text, address);
}

struct str conf_listener_path(const struct conf_listener *listener)
{
	const struct str mark = STR("unix:");

	return str_starts(listener->address, mark) ? str_skip(listener->address, mark.len)
						   : STR("");
}

/* What fits into an address of the system (unix(7)). */
static bool read_socket(struct str text, struct arena *arena,
			struct conf_listener *listener)
{
	*listener = (struct conf_listener){.address = text};
	struct str path = conf_listener_path(listener);

	return str_starts(path, STR("/")) && path.len < CONF_PATH_MAX &&
	       arena_copy(arena, text, &listener->address);
}

static bool read_listener(struct str text, struct arena *arena,
			  struct conf_listener *listener)
{
	static const struct str mark = {"+proxy", sizeof "+proxy" - 1};
	bool is_proxied = str_ends(text, mark);
	uint64_t port;

	if (is_proxied)
		text = str_first(text, text.len - mark.len);
	size_t colon = str_rfind_byte(text, ':');

	if (!read_address(str_first(text, colon), arena, &listener->address) ||
	    !num_parse(str_skip(text, colon + 1), UINT16_MAX, &port) || port == 0)
		return false;
	listener->port = (uint16_t)port;
	listener->is_proxied = is_proxied;
	return true;
}

static err_t read_listeners(struct str value, struct conf_listeners *listeners,
			    struct arena *arena, struct str *why)
{
	struct str rest = value;

	listeners->count = 0;
	listeners->at = ARENA_ARRAY(arena, struct conf_listener, CONF_LISTENERS_MAX);
	if (!listeners->at)
		return ERR_LIMIT;
	for (struct str word; (word = conf_next_word(&rest)).len > 0;) {
		if (listeners->count == CONF_LISTENERS_MAX) {
			*why = STR("more than 32 places to listen");
			return ERR_LIMIT;
		}
		struct conf_listener *at = &listeners->at[listeners->count++];

		if (!read_socket(word, arena, at) && !read_listener(word, arena, at)) {
			*why = arena_printf(arena,
					    "\"%.*s\" is not ADDRESS:PORT, such as "
					    "192.0.2.1:25 or [2001:db8::1]:25",
					    STR_FMT(word));
			return ERR_SYNTAX;
		}
	}
	return OK;
}

static const struct unit *units_of(const struct setting *setting, const char **example)
{
	if (setting->type == SETTING_BYTES) {
		*example = "size, such as 50 MiB";
		return sizes;
	}
	if (setting->type == SETTING_SPAN) {
		*example = "time, such as 30 s, 5 min, 4 h or 5 d";
		return spans;
	}
	*example = "number";
	return plain;
}

static err_t read_number(const struct setting *setting, struct str value,
			 struct arena *arena, uint64_t *number, struct str *why)
{
	const char *example;
	const struct unit *unit = units_of(setting, &example);

	while (unit->count > 1 && !str_ends(value, str_c(unit->name)))
		unit++;
	bool has_unit = str_ends(value, str_c(unit->name));
	struct str digits = str_trim(str_first(value, value.len - strlen(unit->name)));

	if (!has_unit || !num_parse(digits, UINT64_MAX / unit->count, number)) {
		*why = arena_printf(arena, "\"%.*s\" is not a %s", STR_FMT(value),
				    example);
		return ERR_SYNTAX;
	}
	*number *= unit->count;
	if (*number < setting->min || *number > setting->max) {
		*why = arena_printf(arena, "%llu is not between %llu and %llu",
				    (unsigned long long)*number,
				    (unsigned long long)setting->min,
				    (unsigned long long)setting->max);
		return ERR_SYNTAX;
	}
	return OK;
}

/* Only its form: where it leads is asked when it is used. */
static err_t read_mailbox(struct str value, struct arena *arena, struct str *address,
			  struct str *why)
{
	size_t at = str_rfind_byte(value, '@');

	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.ptr[i] <= ' ' || value.ptr[i] == '<')
			at = 0;
	if (value.len > 0 && (at == 0 || at + 1 >= value.len)) {
		*why = arena_printf(arena,
				    "\"%.*s\" is not an address, such as "
				    "postmaster@example.org",
				    STR_FMT(value));
		return ERR_SYNTAX;
	}
	return arena_copy(arena, value, address) ? OK : ERR_LIMIT;
}

static err_t read_days(const struct setting *setting, struct str value,
		       struct arena *arena, uint32_t *days, struct str *why)
{
	static const struct str unit = {" days", sizeof " days" - 1};
	uint64_t number = 0;

	if (str_ends(value, unit))
		value = str_first(value, value.len - unit.len);
	if (value.len > 0)
		TRY(read_number(setting, value, arena, &number, why));
	*days = (uint32_t)number;
	return OK;
}

static bool is_domain_octet(char c)
{
	return (c >= 'a' && c <= 'z') || is_ascii_digit((unsigned char)c) || c == '-' ||
	       c == '.';
}

/* A host name in its A-label form, which is what DNS and SMTP say. */
static err_t read_domain(struct str value, struct arena *arena, struct str *domain,
			 struct str *why)
{
	char *copy = arena_alloc(arena, value.len + 1, 1);
	bool is_good = value.len <= 253 && !str_starts(value, STR(".")) &&
		       !str_ends(value, STR(".")) &&
		       str_find(value, STR("..")) == value.len;

	if (!copy)
		return ERR_LIMIT;
	for (size_t i = 0; i < value.len; i++) {
		copy[i] = ascii_lower(value.ptr[i]);
		is_good = is_good && is_domain_octet(copy[i]);
	}
	if (!is_good) {
		*why = arena_printf(arena, "\"%.*s\" is not a host name", STR_FMT(value));
		return ERR_SYNTAX;
	}
	*domain = (struct str){copy, value.len};
	return OK;
}

static err_t read_server(struct str value, struct arena *arena, struct str *server,
			 struct str *why)
{
	struct conf_listener listener;
	struct str address;

	if (value.len > 0 && !read_address(value, arena, &address) &&
	    !read_listener(value, arena, &listener)) {
		*why = arena_printf(arena,
				    "\"%.*s\" is not an address, such as 192.0.2.1, "
				    "192.0.2.1:53 or [2001:db8::1]:53",
				    STR_FMT(value));
		return ERR_SYNTAX;
	}
	return arena_copy(arena, value, server) ? OK : ERR_LIMIT;
}

static err_t read_domains(struct str value, struct arena *arena, struct str *domains,
			  struct str *why)
{
	struct str rest = value, domain;
	SCOPED(buf_fini) struct buf all = BUF(CONF_TEXT_MAX);

	for (struct str word; (word = conf_next_word(&rest)).len > 0;) {
		TRY(read_domain(word, arena, &domain, why));
		buf_printf(&all, "%s%.*s", all.len > 0 ? " " : "", STR_FMT(domain));
	}
	return buf_ok(&all) && arena_copy(arena, buf_str(&all), domains) ? OK : ERR_LIMIT;
}

/* ADDRESS or ADDRESS/BITS. */
static bool is_network(struct str word)
{
	struct str address = str_cut(&word, '/');
	unsigned char octets[16];
	char text[64];
	uint64_t bits;

	if (!str_to_c(address, text, sizeof text))
		return false;
	bool is_v4 = inet_pton(AF_INET, text, octets) == 1;

	if (!is_v4 && inet_pton(AF_INET6, text, octets) != 1)
		return false;
	return word.len == 0 || num_parse(word, is_v4 ? 32 : 128, &bits);
}

/* A number at the end is no domain, but an address with a flaw. */
static bool is_source(struct str word, struct arena *arena)
{
	struct str domain = str_skip(word, str_rfind_byte(word, '@') + 1), ignored;

	if (str_find_byte(word, '@') == word.len)
		domain = word;
	return is_network(word) ||
	       (domain.len > 0 &&
		!is_ascii_digit((unsigned char)domain.ptr[domain.len - 1]) &&
		read_domain(domain, arena, &ignored, &ignored) == OK);
}

static err_t read_sources(struct str value, struct arena *arena, struct str *sources,
			  struct str *why)
{
	SCOPED(buf_fini) struct buf all = BUF(CONF_TEXT_MAX);
	struct str rest = value;

	for (struct str word; (word = conf_next_word(&rest)).len > 0;) {
		if (!is_source(word, arena)) {
			*why = arena_printf(arena,
					    "\"%.*s\" is not a source, such as "
					    "192.0.2.0/24, lists.example.org or "
					    "ann@example.net",
					    STR_FMT(word));
			return ERR_SYNTAX;
		}
		if (all.len > 0)
			buf_add_byte(&all, ' ');
		for (size_t i = 0; i < word.len; i++)
			buf_add_byte(&all, ascii_lower(word.ptr[i]));
	}
	return buf_ok(&all) && arena_copy(arena, buf_str(&all), sources) ? OK : ERR_LIMIT;
}

static err_t read_networks(struct str value, struct arena *arena, struct str *networks,
			   struct str *why)
{
	struct str rest = value;

	for (struct str word; (word = conf_next_word(&rest)).len > 0;) {
		if (is_network(word))
			continue;
		*why = arena_printf(arena,
				    "\"%.*s\" is not an address or a network, such as "
				    "192.0.2.1 or 2001:db8::/32",
				    STR_FMT(word));
		return ERR_SYNTAX;
	}
	return arena_copy(arena, value, networks) ? OK : ERR_LIMIT;
}

static err_t read_path(struct str value, struct arena *arena, struct str *path,
		       struct str *why)
{
	if (value.len > 0 && value.ptr[0] != '/') {
		*why = arena_printf(arena, "\"%.*s\" is not a path that begins with /",
				    STR_FMT(value));
		return ERR_SYNTAX;
	}
	return arena_copy(arena, value, path) ? OK : ERR_LIMIT;
}

static err_t read_zones(struct str value, struct arena *arena, struct str *zones,
			struct str *why)
{
	struct str rest = value, ignored;

	for (struct str word; (word = conf_next_word(&rest)).len > 0;) {
		struct str zone = str_cut(&word, '=');

		if (zone.len > 0 && word.len > 0 &&
		    read_domain(zone, arena, &ignored, why) == OK &&
		    read_server(word, arena, &ignored, why) == OK)
			continue;
		*why = arena_printf(arena,
				    "\"%.*s=%.*s\" is not a zone and its server, such as "
				    "example.org=192.0.2.1:53",
				    STR_FMT(zone), STR_FMT(word));
		return ERR_SYNTAX;
	}
	return arena_copy(arena, value, zones) ? OK : ERR_LIMIT;
}

static err_t read_hop(struct str value, struct arena *arena, struct str *text,
		      struct str *why)
{
	struct conf_hop hop;

	if (value.len > 0 && !conf_hop_parse(value, &hop)) {
		*why = arena_printf(arena,
				    "\"%.*s\" is not a server, such as "
				    "submission:smtp.example.net or smtp:[192.0.2.1]:25",
				    STR_FMT(value));
		return ERR_SYNTAX;
	}
	return arena_copy(arena, value, text) ? OK : ERR_LIMIT;
}

static err_t read_routes(struct str value, struct arena *arena, struct str *routes,
			 struct str *why)
{
	struct str rest = value;
	struct conf_route route;

	while (conf_route_next(&rest, &route))
		continue;
	if (rest.len > 0) {
		*why = arena_printf(arena,
				    "\"%.*s\" is not a route, such as "
				    "example.org=smtp:[192.0.2.1]:25",
				    STR_FMT(conf_next_word(&rest)));
		return ERR_SYNTAX;
	}
	return arena_copy(arena, value, routes) ? OK : ERR_LIMIT;
}

static err_t read_addresses(struct str value, struct arena *arena, struct str *addresses,
			    struct str *why)
{
	struct str rest = value;

	for (struct str word; (word = conf_next_word(&rest)).len > 0;) {
		if (str_find_byte(word, '/') == word.len && is_network(word))
			continue;
		*why = arena_printf(arena, "\"%.*s\" is not an address", STR_FMT(word));
		return ERR_SYNTAX;
	}
	return arena_copy(arena, value, addresses) ? OK : ERR_LIMIT;
}

static err_t read_anchors(struct str value, struct arena *arena, struct str *anchors,
			  struct str *why)
{
	if (str_same(value, STR("none")))
		return arena_copy(arena, value, anchors) ? OK : ERR_LIMIT;
	return read_path(value, arena, anchors, why);
}

static err_t read_level(struct str value, struct arena *arena, enum log_level *level,
			struct str *why)
{
	for (size_t i = 0; i < COUNT_OF(level_names); i++) {
		if (str_same(value, str_c(level_names[i]))) {
			*level = (enum log_level)i;
			return OK;
		}
	}
	*why = arena_printf(arena, "\"%.*s\" is none of error, warn, info, debug",
			    STR_FMT(value));
	return ERR_SYNTAX;
}

static err_t read_switch(struct str value, struct arena *arena, bool *is_on,
			 struct str *why)
{
	*is_on = str_same(value, STR("yes"));
	if (*is_on || str_same(value, STR("no")))
		return OK;
	*why = arena_printf(arena, "\"%.*s\" is neither yes nor no", STR_FMT(value));
	return ERR_SYNTAX;
}

bool conf_names_have(struct str names, struct str name)
{
	for (struct str word; (word = conf_next_word(&names)).len > 0;)
		if (str_same(word, STR("*")) || str_same(word, name))
			return true;
	return false;
}

err_t setting_read(const struct setting *setting, struct str value, struct conf *conf,
		   struct arena *arena, struct str *why)
{
	void *to = field(setting, conf);
	uint64_t number = 0;

	if (value.len > CONF_TEXT_MAX) {
		*why = STR("the value is longer than 1000 octets");
		return ERR_LIMIT;
	}
	if (value.len == 0 && !setting->unset) {
		*why = STR("there is no value");
		return ERR_SYNTAX;
	}
	switch (setting->type) {
	case SETTING_PATH:
		return read_path(value, arena, to, why);
	case SETTING_DOMAIN:
		return read_domain(value, arena, to, why);
	case SETTING_LISTENERS:
		return read_listeners(value, to, arena, why);
	case SETTING_BYTES:
	case SETTING_SPAN:
		TRY(read_number(setting, value, arena, &number, why));
		*(uint64_t *)to = number;
		return OK;
	case SETTING_COUNT:
		if (value.len > 0 || !setting->unset)
			TRY(read_number(setting, value, arena, &number, why));
		*(uint32_t *)to = (uint32_t)number;
		return OK;
	case SETTING_DAYS:
		return read_days(setting, value, arena, to, why);
	case SETTING_NETWORKS:
		return read_networks(value, arena, to, why);
	case SETTING_SERVER:
		return read_server(value, arena, to, why);
	case SETTING_ZONES:
		return read_zones(value, arena, to, why);
	case SETTING_ANCHORS:
		return read_anchors(value, arena, to, why);
	case SETTING_SWITCH:
		return read_switch(value, arena, to, why);
	case SETTING_NAMES:
		return arena_copy(arena, value, to) ? OK : ERR_LIMIT;
	case SETTING_ADDRESS:
		return read_mailbox(value, arena, to, why);
	case SETTING_HOP:
		return read_hop(value, arena, to, why);
	case SETTING_ROUTES:
		return read_routes(value, arena, to, why);
	case SETTING_DOMAINS:
		return read_domains(value, arena, to, why);
	case SETTING_SOURCES:
		return read_sources(value, arena, to, why);
	case SETTING_ADDRESSES:
		return read_addresses(value, arena, to, why);
	case SETTING_LEVEL:
		return read_level(value, arena, to, why);
	}
	return ERR_SYNTAX;
}

static void write_listeners(const struct conf_listeners *listeners, struct buf *out)
{
	for (size_t i = 0; i < listeners->count; i++) {
		struct str address = listeners->at[i].address;

		if (conf_listener_path(&listeners->at[i]).len > 0) {
			buf_printf(out, "%s%.*s", i > 0 ? " " : "", STR_FMT(address));
			continue;
		}
		bool is_v6 = str_find_byte(address, ':') < address.len;

		buf_printf(out, "%s%s%.*s%s:%u%s", i > 0 ? " " : "", is_v6 ? "[" : "",
			   STR_FMT(address), is_v6 ? "]" : "", listeners->at[i].port,
			   listeners->at[i].is_proxied ? "+proxy" : "");
	}
}

static void write_number(const struct unit *unit, uint64_t number, struct buf *out)
{
	while (unit->count > 1 && (number == 0 || number % unit->count != 0))
		unit++;
	buf_add_u64(out, number / unit->count);
	if (unit->name[0] != '\0')
		buf_printf(out, " %s", unit->name);
}

void setting_write(const struct setting *setting, const struct conf *conf,
		   struct buf *out)
{
	const void *from = field(setting, conf);

	switch (setting->type) {
	case SETTING_PATH:
	case SETTING_DOMAIN:
	case SETTING_DOMAINS:
	case SETTING_NETWORKS:
	case SETTING_SERVER:
	case SETTING_ZONES:
	case SETTING_ANCHORS:
	case SETTING_ADDRESS:
	case SETTING_NAMES:
	case SETTING_HOP:
	case SETTING_ROUTES:
	case SETTING_SOURCES:
	case SETTING_ADDRESSES:
		buf_add(out, *(const struct str *)from);
		break;
	case SETTING_LISTENERS:
		write_listeners(from, out);
		break;
	case SETTING_BYTES:
		write_number(sizes, *(const uint64_t *)from, out);
		break;
	case SETTING_SPAN:
		write_number(spans, *(const uint64_t *)from, out);
		break;
	case SETTING_COUNT:
		if (!setting->unset || *(const uint32_t *)from > 0)
			buf_add_u64(out, *(const uint32_t *)from);
		break;
	case SETTING_SWITCH:
		buf_add_c(out, *(const bool *)from ? "yes" : "no");
		break;
	case SETTING_DAYS:
		if (*(const uint32_t *)from > 0)
			buf_printf(out, "%u days", *(const uint32_t *)from);
		break;
	case SETTING_LEVEL:
		buf_add_c(out, level_names[*(const enum log_level *)from]);
		break;
	}
}
