#include "ctl/options.h"

#include <getopt.h>
#include <stdio.h>

#include "base/civil.h"
#include "base/num.h"
#include "ctl/word.h"

/* Bit by bit. */
static const struct {
	const char *name, *value, *help;
} known[CTL_OPTIONS] = {
	{"admin", NULL, "this account may administer the server"},
	{"password-stdin", NULL, "the password is the first line of standard input"},
	{"all", NULL, "many accounts at once"},
	{"dry-run", NULL, "only say what would be done"},
	{"keep-names", NULL, "map no mailboxes to Sent, Drafts, Junk, Trash, Archive"},
	{"mboxo", NULL, "the files quote only \"From \", not \">From \" (mboxo)"},
	{"crlf", NULL, "the files get CRLF at line ends, not LF"},
	{"starttls", NULL, "begin in plain text, on port 143, with STARTTLS"},
	{"insecure", NULL, "believe any certificate; go on without TLS if there is none"},
	{"repair", NULL, "put right what can be"},
	{"online", NULL, "while the server runs; it goes on serving"},
	{"user", "NAME", "the name to log in with there, if not the address"},
	{"password-file", "FILE", "the password is the first line of that file"},
	{"ca", "FILE", "trust the certificates in that file, not the system's"},
	{"master", "NAME", "log in there as NAME on behalf of each user"},
	{"dns", "HOST:PORT", "the name server to ask"},
	{"backup", "ID", "this backup, instead of the newest"},
	{"keep", "N", "then remove all but the newest N backups"},
	{"keep-days", "N", "then remove backups older than N days"},
	{"account", "ADDRESS", "only the mail of this account"},
	{"mailbox", "NAME", "only what was in this mailbox of it"},
	{"message-id", "ID", "only the message with this Message-ID"},
	{"since", "DATE",
	 "only what arrived, or was expunged, on that day (UTC)\n"
	 "                        or later"},
	{"before", "DATE", "only what arrived before that day"},
	{"yes", NULL, "do it, do not only say what would be done"},
	{"id", "ID", "mail of that queue id"},
	{"sender", "ADDRESS", "mail from there; <> is the empty sender"},
	{"domain", "DOMAIN", "mail to recipients there"},
	{"cause", "WORD", "last failed by: dns connect tls reply policy quota other"},
	{"older-than", "TIME", "mail that came before: 90s, 15m, 2h, 3d ago"},
	{"held", NULL, "mail that is held"},
	{"until", "TIME", "for so long only: 90s, 15m, 2h, 3d"},
	{"bounce", NULL, "its senders are told that it was not delivered"},
	{"body", NULL, "print the whole mail, not only its header"},
	{"once", NULL, "print it once"},
	{"ip", "ADDRESS", "the client that the mail came from"},
	{"mailfrom", "ADDRESS", "what that said in MAIL FROM; \"\" is the empty sender"},
	{"helo", "NAME", "what it said in HELO"},
	{"next", "FILE", "the certificate that is to be used next, in PEM"},
	{"server", "HOST:PORT", "the name server that takes the changes"},
	{"key", "FILE", "the key (TSIG) by which it knows us"},
	{"host", "LIST", "servers that send: names, addresses, networks, this"},
	{"include", "LIST", "providers that send, as they name their SPF record"},
	{"other", "WORD", "what others get: hard soft neutral"},
	{"trusted", "NAMES",
	 "the servers, or their domains, whose fields count; with\n"
	 "                        commas between them"},
	{"mbox", NULL, "the file holds many mails; a line for each, nobody is asked"},
	{"days", "N", "how far to look back; 30 days if not given"},
};

enum { LONG_FIRST = 1000, COMMON = 4 };

static void fill(struct option *list)
{
	static const struct option common[COMMON] = {
		{"config", required_argument, NULL, 'c'},
		{"dir", required_argument, NULL, 'd'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
	};

	memcpy(list, common, sizeof common);
	for (int i = 0; i < CTL_OPTIONS; i++)
		list[COMMON + i] = (struct option){
			known[i].name, known[i].value ? required_argument : no_argument,
			NULL, LONG_FIRST + i};
	list[COMMON + CTL_OPTIONS] = (struct option){0};
}

bool options_read(struct ctl *ctl, int argc, char **argv)
{
	struct option list[COMMON + CTL_OPTIONS + 1];
	int option;

	fill(list);
	while ((option = getopt_long(argc, argv, "c:d:h", list, NULL)) != -1) {
		switch (option) {
		case 'c':
			ctl->config_path = optarg;
			break;
		case 'd':
			ctl->folder = optarg;
			break;
		case 'j':
			ctl->is_json = true;
			break;
		case 'h':
			ctl->wants_help = true;
			break;
		case '?': /* getopt has said it */
			return false;
		default:
			ctl->options |= 1ull << (option - LONG_FIRST);
			ctl->values[option - LONG_FIRST] = optarg;
			break;
		}
	}
	return true;
}

const char *ctl_value(const struct ctl *ctl, enum ctl_option option)
{
	return ctl->values[__builtin_ctzll(option)];
}

bool ctl_day(struct ctl *ctl, enum ctl_option option, int64_t *unix_s)
{
	uint64_t year, month, day;

	*unix_s = 0;
	if (!(ctl->options & option))
		return true;
	struct str given = str_c(ctl_value(ctl, option)), rest = given;

	if (num_parse(str_cut(&rest, '-'), 9999, &year) &&
	    num_parse(str_cut(&rest, '-'), 12, &month) && num_parse(rest, 31, &day)) {
		struct civil at = {
			.year = (int)year, .month = (int)month, .day = (int)day};

		*unix_s = civil_to_unix(at);
		if (civil_is_valid(at))
			return true;
	}
	ctl_fail(ctl,
		 "\"%.*s\" is no date.\nNothing was changed.\nA date looks like "
		 "2026-11-22.",
		 STR_FMT(given));
	return false;
}

void options_print(uint64_t options)
{
	for (size_t i = 0; i < CTL_OPTIONS; i++) {
		char name[48];

		if (!(options & 1ull << i))
			continue;
		(void)snprintf(name, sizeof name, "--%s%s%s", known[i].name,
			       known[i].value ? " " : "",
			       known[i].value ? known[i].value : "");
		printf("  %-22s%s\n", name, known[i].help);
	}
	printf("  --json                print JSON, for programs\n"
	       "  --dir FOLDER          the data directory\n"
	       "  -c FILE               the configuration file, instead of\n"
	       "                        " DEFAULT_CONFIG "\n");
}
