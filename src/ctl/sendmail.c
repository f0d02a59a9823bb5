#include "ctl/sendmail.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "ctl/ctl.h"
#include "ctl/drop.h"
#include "ctl/letter.h"
#include "ctl/options.h"
#include "queue/id.h"
#include "wire/smtp/param.h"

enum { ARENA_BYTES = 64 << 20, READ_BYTES = 64 * 1024, NAME_MAX_BYTES = 200 };

/* Old options that ask for what is done anyhow, or for nothing that there is here; with a
 * colon those that come with a value. */
#define OPTIONS "A:B:C:E:F:GIL:N:O:R:UV:X:b:d::e:f:h:imno:p:q::r:tv"

PRINTF_LIKE(2, 3)
static int failed(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)fprintf(stderr, "sendmail: ");
	(void)vfprintf(stderr, format, args);
	(void)fprintf(stderr, "\n");
	va_end(args);
	return status;
}

/* ---- leaving it -------------------------------------------------------------------- */

static struct str mail_params(struct sendmail *sm, const struct letter *letter)
{
	bool is_utf8 = utf8_ascii_len(letter->sender) < letter->sender.len;
	bool is_8bit = utf8_ascii_len(letter->text) < letter->text.len;
	struct buf envid = BUF(1000);

	for (size_t i = 0; i < letter->count; i++)
		is_utf8 |=
			utf8_ascii_len(letter->recipients[i]) < letter->recipients[i].len;
	smtp_xtext_add(&envid, sm->envid);
	struct str params = arena_printf(
		&sm->arena, "%s%s%s%.*s%s%.*s", is_8bit ? " BODY=8BITMIME" : "",
		is_utf8 ? " SMTPUTF8" : "", sm->ret.len > 0 ? " RET=" : "",
		STR_FMT(sm->ret), sm->envid.len > 0 ? " ENVID=" : "",
		STR_FMT(buf_str(&envid)));

	buf_fini(&envid);
	return params;
}

int sendmail_drop(struct sendmail *sm, struct str sender, const struct str *recipients,
		  size_t count, struct str text)
{
	struct letter letter = {
		.sender = sender, .recipients = recipients, .count = count, .text = text};
	struct str why;

	if (text.len > sm->conf.message_bytes_max)
		return failed(EX_UNAVAILABLE,
			      "The message has %zu octets, and may have %llu.", text.len,
			      (unsigned long long)sm->conf.message_bytes_max);
	letter.mail_params = mail_params(sm, &letter);
	if (sm->notify.len > 0)
		letter.rcpt_params =
			arena_printf(&sm->arena, " NOTIFY=%.*s", STR_FMT(sm->notify));
	switch (drop_letter(sm->data_directory, &letter, sm->conf.recipients_max,
			    &sm->arena, &why)) {
	case DROP_OK:
		return EX_OK;
	case DROP_LATER:
		return failed(EX_TEMPFAIL, "%.*s", STR_FMT(why));
	case DROP_REFUSED:
		break;
	}
	return failed(EX_USAGE, "%.*s", STR_FMT(why));
}

/* ---- reading the message ----------------------------------------------------------- */

static int read_input(struct sendmail *sm, struct buf *raw)
{
	for (;;) {
		char *room = buf_room(raw, READ_BYTES);
		ssize_t got = room ? read(STDIN_FILENO, room, READ_BYTES) : 0;

		if (!room)
			return failed(EX_UNAVAILABLE,
				      "The message is longer than %llu octets.",
				      (unsigned long long)sm->conf.message_bytes_max);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return failed(EX_IOERR, "Cannot read the message: %s.",
				      strerror(errno));
		if (got == 0)
			return EX_OK;
		buf_grew(raw, (size_t)got);
	}
}

/* "Ann Lee <ann@example.org>"; names that would need encoding are left out. */
static struct str from_of(struct sendmail *sm)
{
	struct str address =
		sm->sender.len > 0
			? sm->sender
			: arena_printf(&sm->arena, "%.*s@%.*s", STR_FMT(sm->user),
				       STR_FMT(sm->conf.default_domain));
	struct str name = str_trim(sm->full_name);
	bool is_plain = name.len > 0 && name.len <= NAME_MAX_BYTES;

	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] < ' ' || name.ptr[i] > '~' || name.ptr[i] == '"' ||
		    name.ptr[i] == '\\')
			is_plain = false;
	if (!is_plain)
		return address;
	return arena_printf(&sm->arena, "\"%.*s\" <%.*s>", STR_FMT(name),
			    STR_FMT(address));
}

static int send_lines(struct sendmail *sm, struct str lines, struct str *list,
		      size_t count)
{
	char id[QUEUE_ID_LETTERS];
	struct letter_header header = {.from = from_of(sm),
				       .id = queue_id_make(id),
				       .domain = sm->conf.hostname,
				       .now = (int64_t)time(NULL)};
	struct str bad;

	if (sm->reads_recipients && !letter_recipients(lines, sm->conf.default_domain,
						       &sm->arena, list, &count, &bad))
		return failed(EX_NOUSER, "The header names what is no address: %.*s",
			      STR_FMT(bad));
	if (count == 0)
		return failed(EX_USAGE, "Nobody is named to send this to.");
	struct buf text = BUF(lines.len + READ_BYTES);

	letter_add(&text, lines, &header);
	int status = buf_ok(&text)
			     ? sendmail_drop(sm, sm->sender, list, count, buf_str(&text))
			     : failed(EX_DATAERR, "The header is too long.");

	buf_fini(&text);
	return status;
}

static int deliver(struct sendmail *sm, int count, char **given)
{
	struct str *list = NEW_ARRAY(struct str, LETTER_RECIPIENTS_MAX);
	size_t most = (size_t)sm->conf.message_bytes_max;
	struct buf raw = BUF(most + READ_BYTES), lines = BUF(2 * most + READ_BYTES);
	size_t named = 0;
	struct str bad;
	int status = EX_OK;

	for (int i = 0; i < count && status == EX_OK; i++)
		if (!letter_addresses(str_c(given[i]), sm->conf.default_domain,
				      &sm->arena, list, &named, &bad))
			status = failed(EX_NOUSER, "This is no address: %.*s",
					STR_FMT(bad));
	if (status == EX_OK && named == 0 && !sm->reads_recipients)
		status = failed(EX_USAGE, "Nobody is named to send this to.");
	if (status == EX_OK)
		status = read_input(sm, &raw);
	if (status == EX_OK) {
		letter_lines_add(&lines, buf_str(&raw), sm->dots_count);
		status = send_lines(sm, buf_str(&lines), list, named);
	}
	buf_fini(&raw);
	buf_fini(&lines);
	mem_free(list);
	return status;
}

/* ---- options ----------------------------------------------------------------------- */

enum mode { MODE_DELIVER, MODE_SMTP, MODE_LIST, MODE_NOTHING };

static bool set_sender(struct sendmail *sm, const char *text)
{
	struct str given = str_c(text), bad;
	size_t count = 0;

	sm->sender = STR("");
	if (given.len == 0 || str_same(given, STR("<>")))
		return true;
	struct str *list = NEW_ARRAY(struct str, LETTER_RECIPIENTS_MAX);
	bool is_one = letter_addresses(given, sm->conf.default_domain, &sm->arena, list,
				       &count, &bad) &&
		      count == 1;

	if (is_one)
		sm->sender = list[0];
	mem_free(list);
	return is_one;
}

/* -b's letter. */
static int set_mode(enum mode *mode, const char *value)
{
	switch (value[0]) {
	case 'm':
		*mode = MODE_DELIVER;
		return EX_OK;
	case 's':
		*mode = MODE_SMTP;
		return EX_OK;
	case 'p':
		*mode = MODE_LIST;
		return EX_OK;
	case 'i': /* newaliases: there is no file of aliases */
		*mode = MODE_NOTHING;
		return EX_OK;
	default:
		return failed(EX_USAGE,
			      "-b%s is not done here; \"postrider serve\" runs the "
			      "server.",
			      value);
	}
}

/* First what says where the settings are, then the rest, which needs them. */
static const char *find_config(int argc, char **argv)
{
	const char *path = NULL;
	int option;

	opterr = 0;
	while ((option = getopt(argc, argv, OPTIONS)) != -1)
		if (option == 'C')
			path = optarg;
	opterr = 1;
	optind = 1;
	return path;
}

static int take_option(struct sendmail *sm, int option, enum mode *mode)
{
	switch (option) {
	case 'F':
		sm->full_name = str_c(optarg);
		return EX_OK;
	case 'N':
		sm->notify = str_c(optarg);
		return EX_OK;
	case 'R':
		sm->ret = str_c(optarg);
		return EX_OK;
	case 'V':
		sm->envid = str_c(optarg);
		return EX_OK;
	case 'b':
		return set_mode(mode, optarg);
	case 'f':
	case 'r':
		return set_sender(sm, optarg)
			       ? EX_OK
			       : failed(EX_USAGE, "The sender is no address: %s", optarg);
	case 'i':
		sm->dots_count = true;
		return EX_OK;
	case 'o':
		sm->dots_count |= strcmp(optarg, "i") == 0;
		return EX_OK;
	case 'q': /* what waits is tried when it is due */
		*mode = MODE_NOTHING;
		return EX_OK;
	case 't':
		sm->reads_recipients = true;
		return EX_OK;
	case '?':
		return failed(EX_USAGE, "sendmail(1) says what can be said.");
	default: /* an old option */
		return EX_OK;
	}
}

/* ---- who, and with which settings -------------------------------------------------- */

static int load(struct sendmail *sm)
{
	struct str why = STR("");
	const char *path = sm->config_path ? sm->config_path : DEFAULT_CONFIG;
	err_t err = conf_load(path, &sm->arena, &sm->conf, &why);

	if (err == ERR_ABSENT && !sm->config_path)
		err = conf_defaults(&sm->arena, &sm->conf);
	if (err != OK)
		return failed(EX_CONFIG, "%.*s", STR_FMT(why));
	if (!str_to_c(sm->conf.data_directory, sm->data_directory,
		      sizeof sm->data_directory))
		return failed(EX_CONFIG, "The data directory's name is too long.");
	return EX_OK;
}

static int identify(struct sendmail *sm)
{
	const struct passwd *user = getpwuid(getuid());

	if (!user || !arena_copy(&sm->arena, str_c(user->pw_name), &sm->user))
		return failed(EX_OSERR, "User %u has no name on this machine.", getuid());
	struct str gecos = str_c(user->pw_gecos);

	if (!arena_copy(&sm->arena, str_cut(&gecos, ','), &sm->full_name))
		return failed(EX_OSERR, "There is no memory left.");
	sm->sender = arena_printf(&sm->arena, "%.*s@%.*s", STR_FMT(sm->user),
				  STR_FMT(sm->conf.default_domain));
	/* The server asks too; here it can be said. */
	if (getuid() != 0 && !conf_names_have(sm->conf.sendmail_allow, sm->user) &&
	    sm->conf.sendmail_allow.len > 0)
		return failed(EX_NOPERM, "User %.*s may not send mail (sendmail.allow).",
			      STR_FMT(sm->user));
	return EX_OK;
}

static int list_queue(const struct sendmail *sm)
{
	char words[3][8] = {"queue", "list", "-c"};
	char *argv[] = {words[0],
			words[0],
			words[1],
			words[2],
			(char *)(uintptr_t)sm->config_path,
			NULL};

	optind = 0; /* getopt begins anew */
	return ctl_main(sm->config_path ? 5 : 3, argv) == 0 ? EX_OK : EX_UNAVAILABLE;
}

static int run(struct sendmail *sm, enum mode mode, int argc, char **argv)
{
	int option, status = load(sm);

	if (status == EX_OK)
		status = identify(sm);
	while (status == EX_OK && (option = getopt(argc, argv, OPTIONS)) != -1)
		status = take_option(sm, option, &mode);
	if (status != EX_OK)
		return status;
	switch (mode) {
	case MODE_DELIVER:
		return deliver(sm, argc - optind, argv + optind);
	case MODE_SMTP:
		return sendmail_smtp(sm);
	case MODE_LIST:
		return list_queue(sm);
	case MODE_NOTHING:
		break;
	}
	return EX_OK;
}

int sendmail_main(int argc, char **argv)
{
	struct sendmail *sm = NEW(struct sendmail);
	struct str name = str_c(argv[0]);
	enum mode mode = MODE_DELIVER;

	name = str_skip(name, str_rfind_byte(name, '/') == name.len
				      ? 0
				      : str_rfind_byte(name, '/') + 1);
	if (str_same(name, STR("mailq")))
		mode = MODE_LIST;
	else if (str_same(name, STR("newaliases")))
		mode = MODE_NOTHING;
	log_name("sendmail");
	log_level_max = LOG_ERROR;
	arena_init(&sm->arena, ARENA_BYTES);
	sm->config_path = find_config(argc, argv);
	int status = run(sm, mode, argc, argv);

	arena_fini(&sm->arena);
	mem_free(sm);
	return status;
}
