#include "conf/conf.h"

#include "base/codec.h"
#include "conf/setting.h"

enum { CODEC_VERSION = 1 };

err_t conf_set(struct conf *conf, struct arena *arena, struct str name, struct str value,
	       struct str *why)
{
	const struct setting *setting = setting_find(name);

	if (!setting) {
		*why = arena_printf(arena, "there is no setting \"%.*s\"", STR_FMT(name));
		return ERR_ABSENT;
	}
	return setting_read(setting, str_trim(value), conf, arena, why);
}

struct place {
	const struct conf_listener *listener;
	const char *name;
};

static bool places_meet(const struct place *a, const struct place *b)
{
	return a->listener->port == b->listener->port &&
	       str_same(a->listener->address, b->listener->address);
}

static bool has_proxied(const struct conf_listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++)
		if (listeners->at[i].is_proxied)
			return true;
	return false;
}

/* Two doors cannot share an address and port. */
static err_t check_listeners(const struct conf *conf, struct arena *arena,
			     struct str *why)
{
	const struct {
		const struct conf_listeners *listeners;
		const char *name;
	} doors[] = {
		{&conf->smtp, "smtp"},   {&conf->submission, "submission"},
		{&conf->imap, "imap"},   {&conf->submissions, "submissions"},
		{&conf->imaps, "imaps"}, {&conf->pop3, "pop3"},
		{&conf->pop3s, "pop3s"}, {&conf->lmtp, "lmtp"},
	};
	struct place places[COUNT_OF(doors) * CONF_LISTENERS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < COUNT_OF(doors); i++) {
		if (conf->proxies.len == 0 && has_proxied(doors[i].listeners)) {
			*why = arena_printf(arena,
					    "listen.%s has +proxy, but listen.proxies "
					    "is empty",
					    doors[i].name);
			return ERR_SYNTAX;
		}
		for (size_t j = 0; j < doors[i].listeners->count; j++) {
			const struct conf_listener *at = &doors[i].listeners->at[j];

			places[count++] = (struct place){at, doors[i].name};
			if (doors[i].listeners == &conf->lmtp ||
			    conf_listener_path(at).len == 0)
				continue;
			*why = arena_printf(arena,
					    "listen.%s cannot be a path, only "
					    "listen.lmtp can",
					    doors[i].name);
			return ERR_SYNTAX;
		}
	}
	for (size_t i = 1; i < count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (!places_meet(&places[i], &places[j]))
				continue;
			*why = arena_printf(
				arena,
				"listen.%s and listen.%s both want port %u of "
				"%.*s",
				places[j].name, places[i].name, places[i].listener->port,
				STR_FMT(places[i].listener->address));
			return ERR_SYNTAX;
		}
	}
	return OK;
}

/* LMTP trusts whoever can connect. */
static err_t check_lmtp(const struct conf *conf, struct arena *arena, struct str *why)
{
	for (size_t i = 0; i < conf->lmtp.count; i++) {
		struct str address = conf->lmtp.at[i].address;

		if (str_starts(address, STR("127.")) || str_same(address, STR("::1")) ||
		    conf_listener_path(&conf->lmtp.at[i]).len > 0)
			continue;
		*why = arena_printf(arena, "listen.lmtp must be on loopback, not %.*s",
				    STR_FMT(address));
		return ERR_SYNTAX;
	}
	return OK;
}

err_t conf_check(const struct conf *conf, struct arena *arena, struct str *why)
{
	if ((conf->tls_certificate.len == 0) != (conf->tls_key.len == 0)) {
		*why = STR("tls.certificate and tls.key must be set together");
		return ERR_SYNTAX;
	}
	TRY(check_lmtp(conf, arena, why));
	return check_listeners(conf, arena, why);
}

bool conf_item(const struct conf *conf, size_t place, struct arena *arena,
	       struct conf_item *item)
{
	SCOPED(buf_fini) struct buf value = BUF(CONF_BLOB_MAX);

	if (place >= setting_count)
		return false;
	setting_write(&settings[place], conf, &value);
	item->name = arena_printf(arena, "%s.%s", settings[place].section,
				  settings[place].name);
	item->value = arena_printf(arena, "%.*s", STR_FMT(buf_str(&value)));
	item->unset_value = str_c(settings[place].unset);
	item->help = str_c(settings[place].help);
	return true;
}

/* mdoc takes each sentence on a line of its own. */
static void man_sentences(const char *text, struct buf *out)
{
	struct str rest = str_c(text);

	while (rest.len > 0) {
		size_t end = str_find(rest, STR(".  "));

		buf_add(out, str_first(rest, end + 1));
		buf_add_byte(out, '\n');
		rest = str_skip(rest, end + 3);
	}
}

void conf_print_man(struct buf *out)
{
	const char *section = "";

	for (size_t i = 0; i < setting_count; i++) {
		const struct setting *setting = &settings[i];

		if (strcmp(section, setting->section) != 0)
			buf_printf(out, "%s.Ss [%s]\n.Bl -tag -width Ds\n",
				   i > 0 ? ".El\n" : "", setting->section);
		section = setting->section;
		buf_printf(out, ".It Ic %s No = Ar %s\n", setting->name,
			   setting_placeholder(setting));
		man_sentences(setting->help, out);
		if (setting->max > 0 && setting->type == SETTING_COUNT)
			buf_printf(out, "Between %llu and %llu.\n",
				   (unsigned long long)setting->min,
				   (unsigned long long)setting->max);
		if (setting->value[0])
			buf_printf(out, "Default:\n.Ql %s .\n", setting->value);
		if (setting->unset)
			buf_printf(out, "%s: %s.\n",
				   setting->value[0] ? "If it is empty"
						     : "If it is not set",
				   setting->unset);
	}
	buf_add_c(out, ".El\n");
}

void conf_encode(const struct conf *conf, struct buf *out)
{
	struct buf value = BUF(CONF_BLOB_MAX);

	enc_u8(out, CODEC_VERSION);
	enc_var(out, setting_count);
	for (size_t i = 0; i < setting_count; i++) {
		setting_write(&settings[i], conf, &value);
		enc_str(out, buf_str(&value));
		buf_reset(&value);
	}
	buf_fini(&value);
}

/* Each value as the file would write it, in the order of the table: both sides are the
 * same program. */
bool conf_decode(struct str blob, struct arena *arena, struct conf *conf)
{
	struct dec dec = dec_over(blob);
	struct str why;

	*conf = (struct conf){0};
	if (dec_u8(&dec) != CODEC_VERSION || dec_var(&dec) != setting_count)
		return false;
	for (size_t i = 0; i < setting_count; i++) {
		struct str value = dec_str(&dec);

		if (!dec_ok(&dec) ||
		    setting_read(&settings[i], value, conf, arena, &why) != OK)
			return false;
	}
	return dec_done(&dec);
}
