/* Reading and writing the configuration file: INI sections, "name = value" lines, "#" and
 * ";" comments.  A line that begins with a space goes on with the value before it. */
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/setting.h"

enum { SETTINGS_ROOM = 128 };

struct reading {
	FILE *file;
	const char *path;
	struct conf *conf;
	struct arena *arena;
	struct str *why;
	int line;
	err_t err;
	struct str values[SETTINGS_ROOM]; /* as given so far, to go on with */
};

static int reading_fails(struct reading *reading, err_t err, struct str what)
{
	reading->err = err;
	*reading->why = arena_printf(reading->arena, "%s:%d: %.*s", reading->path,
				     reading->line, STR_FMT(what));
	return 0;
}

/* inih calls this for each line, so that we can count them: fgets() that refuses a line
 * which inih's buffer would cut in two. */
static char *reading_line(char *line, int room, void *arg)
{
	struct reading *reading = arg;

	if (reading->err != OK || !fgets(line, room, reading->file))
		return NULL;
	reading->line++;
	if (strlen(line) + 1 == (size_t)room && line[room - 2] != '\n') {
		(void)reading_fails(reading, ERR_LIMIT,
				    STR("the line is too long; go on in the next one, "
					"which begins with a space"));
		return NULL;
	}
	return line;
}

static int reading_value(void *arg, const char *section, const char *name,
			 const char *value)
{
	struct reading *reading = arg;
	struct str full = arena_printf(reading->arena, "%s.%s", section, name);
	const struct setting *setting = setting_find(full);
	struct str *before, why = STR("too much text");
	err_t err;

	if (reading->err != OK)
		return 0;
	if (!setting)
		return reading_fails(
			reading, ERR_SYNTAX,
			arena_printf(reading->arena,
				     "there is no setting \"%s\" in [%s]; \"postrider "
				     "config show\" lists all",
				     name, section));
	before = &reading->values[setting - settings];
	if (before->ptr && setting->type != SETTING_LISTENERS &&
	    setting->type != SETTING_ZONES)
		return reading_fails(
			reading, ERR_SYNTAX,
			arena_printf(reading->arena, "%.*s is set twice", STR_FMT(full)));
	*before = arena_printf(reading->arena, "%.*s%s%s", STR_FMT(*before),
			       before->len > 0 ? " " : "", value);
	err = setting_read(setting, *before, reading->conf, reading->arena, &why);
	if (err == OK)
		return 1;
	return reading_fails(
		reading, err,
		arena_printf(reading->arena, "%.*s: %.*s", STR_FMT(full), STR_FMT(why)));
}

/* What is left open is the machine's name, which is known only here. */
static err_t fill_names(struct conf *conf, struct arena *arena)
{
	char name[256] = "localhost";
	struct str why, host;

	if (gethostname(name, sizeof name) != 0)
		name[0] = 0;
	name[sizeof name - 1] = 0;
	host = str_c(name);
	if (conf->hostname.len == 0 &&
	    conf_set(conf, arena, STR("server.hostname"), host, &why) != OK)
		TRY(conf_set(conf, arena, STR("server.hostname"), STR("localhost"),
			     &why));
	if (conf->default_domain.len == 0)
		conf->default_domain = conf->hostname;
	return OK;
}

err_t conf_load(const char *path, struct arena *arena, struct conf *conf, struct str *why)
{
	struct reading reading = {.path = path, .conf = conf, .arena = arena, .why = why};
	int bad_line;

	ASSERT(setting_count <= SETTINGS_ROOM);
	*why = STR("out of memory");
	TRY(conf_defaults(arena, conf));
	conf->hostname = conf->default_domain = STR("");
	reading.file = fopen(path, "re");
	if (!reading.file) {
		*why = arena_printf(arena, "%s: %s", path, strerror(errno));
		return errno == ENOENT ? ERR_ABSENT : ERR_IO;
	}
	bad_line = ini_parse_stream(reading_line, &reading, reading_value, &reading);
	if (bad_line > 0 && reading.err == OK) {
		reading.line = bad_line;
		(void)reading_fails(&reading, ERR_SYNTAX,
				    STR("this is neither [section] nor name = value"));
	}
	if (reading.err == OK && (bad_line != 0 || ferror(reading.file))) {
		*why = arena_printf(arena, "%s: cannot be read", path);
		reading.err = ERR_IO;
	}
	(void)fclose(reading.file); /* it was only read */
	TRY(reading.err);
	TRY(fill_names(conf, arena));
	return conf_check(conf, arena, why);
}

err_t conf_defaults(struct arena *arena, struct conf *conf)
{
	struct str why;

	*conf = (struct conf){0};
	for (size_t i = 0; i < setting_count; i++)
		TRY(setting_read(&settings[i], str_c(settings[i].value), conf, arena,
				 &why));
	return fill_names(conf, arena);
}

void conf_print(const struct conf *conf, struct buf *out)
{
	const char *section = "";

	for (size_t i = 0; i < setting_count; i++) {
		const struct setting *setting = &settings[i];

		if (strcmp(section, setting->section) != 0)
			buf_printf(out, "%s[%s]\n", i > 0 ? "\n" : "", setting->section);
		section = setting->section;
		buf_printf(out, "%s = ", setting->name);
		setting_write(setting, conf, out);
		buf_add_byte(out, '\n');
	}
}
