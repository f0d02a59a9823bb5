#include "wire/auth/gs2.h"

#include "base/utf8.h"

static const struct {
	struct str name;
	enum gs2_channel channel;
} channels[] = {
	{{"tls-exporter", 12}, GS2_TLS_EXPORTER},
	{{"tls-server-end-point", 20}, GS2_TLS_SERVER_END_POINT},
};

static enum gs2_channel channel_find(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(channels); i++)
		if (str_same(name, channels[i].name))
			return channels[i].channel;
	return GS2_CHANNEL_OTHER;
}

/* saslname = 1*(value-safe-char / "=2C" / "=3D") */
enum gs2_result gs2_name_read(struct str text, struct arena *arena, struct str *name)
{
	if (text.len == 0 || !utf8_valid(text) || str_find_byte(text, '\0') < text.len ||
	    str_find_byte(text, ',') < text.len)
		return GS2_BAD_NAME;
	char *copy = arena_alloc(arena, text.len, 1);
	size_t len = 0;

	if (!copy)
		return GS2_NO_ROOM;
	for (struct str rest = text; rest.len > 0; len++) {
		bool is_comma = str_starts(rest, STR("=2C"));

		if (rest.ptr[0] != '=') {
			copy[len] = rest.ptr[0];
			rest = str_skip(rest, 1);
			continue;
		}
		if (!is_comma && !str_starts(rest, STR("=3D")))
			return GS2_BAD_NAME;
		copy[len] = is_comma ? ',' : '=';
		rest = str_skip(rest, 3);
	}
	*name = (struct str){copy, len};
	return GS2_FINE;
}

void gs2_name_add(struct buf *buf, struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] == ',')
			buf_add(buf, STR("=2C"));
		else if (name.ptr[i] == '=')
			buf_add(buf, STR("=3D"));
		else
			buf_add_byte(buf, name.ptr[i]);
	}
}

/* cb-name = 1*(ALPHA / DIGIT / "." / "-") */
static bool channel_take(struct cursor *c, enum gs2_channel *channel)
{
	struct cursor from = *c;

	while (cur_run(c, CSET_LDH) > 0 || cur_byte(c, '.'))
		continue;
	*channel = channel_find(cur_since(from, *c));
	return cur_since(from, *c).len > 0;
}

/* gs2-cbind-flag = ("p=" cb-name) / "n" / "y" */
static bool flag_take(struct cursor *c, struct gs2_header *header)
{
	if (cur_byte(c, 'n'))
		header->binding = GS2_NO_BINDING;
	else if (cur_byte(c, 'y'))
		header->binding = GS2_BINDING_UNSEEN;
	else if (cur_byte(c, 'p') && cur_byte(c, '=') &&
		 channel_take(c, &header->channel))
		header->binding = GS2_BINDING_USED;
	else
		return false;
	return cur_byte(c, ',');
}

enum gs2_result gs2_header_take(struct cursor *c, struct arena *arena,
				struct gs2_header *header)
{
	struct gs2_header found = {.channel = GS2_CHANNEL_OTHER};
	struct cursor at = *c;

	if (!flag_take(&at, &found))
		return GS2_MALFORMED;
	struct str rest = {at.at, (size_t)(at.end - at.at)};
	struct str authzid = str_first(rest, str_find_byte(rest, ','));

	if (authzid.len == rest.len)
		return GS2_MALFORMED;
	if (authzid.len > 0) {
		if (!str_starts(authzid, STR("a=")))
			return GS2_MALFORMED;
		enum gs2_result result =
			gs2_name_read(str_skip(authzid, 2), arena, &found.authzid);

		if (result != GS2_FINE)
			return result;
	}
	at.at += authzid.len + 1;
	found.text = cur_since(*c, at);
	*header = found;
	*c = at;
	return GS2_FINE;
}

static void channel_add(struct buf *buf, enum gs2_channel channel)
{
	for (size_t i = 0; i < COUNT_OF(channels); i++)
		if (channels[i].channel == channel)
			buf_add(buf, channels[i].name);
}

void gs2_header_add(struct buf *buf, enum gs2_binding binding, enum gs2_channel channel,
		    struct str authzid)
{
	switch (binding) {
	case GS2_NO_BINDING:
		buf_add(buf, STR("n,"));
		break;
	case GS2_BINDING_UNSEEN:
		buf_add(buf, STR("y,"));
		break;
	case GS2_BINDING_USED:
		ASSERT(channel != GS2_CHANNEL_OTHER);
		buf_add(buf, STR("p="));
		channel_add(buf, channel);
		buf_add_byte(buf, ',');
		break;
	}
	if (authzid.len > 0) {
		buf_add(buf, STR("a="));
		gs2_name_add(buf, authzid);
	}
	buf_add_byte(buf, ',');
}
