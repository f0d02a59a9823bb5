#include "wire/smtp/command.h"

#include "base/num.h"
#include "base/utf8.h"

enum { MECHANISM_MAX = 20 }; /* RFC 4422 §3.1 */

static enum smtp_fault on_host(struct str args, struct smtp_command *command)
{
	/* A wrong name is no reason to refuse (RFC 5321 §4.1.4), but it must be one word
	 * that fits a Received field. */
	if (args.len == 0 || args.len > SMTP_DOMAIN_MAX ||
	    str_find_byte(args, ' ') < args.len)
		return SMTP_FAULT_ARGUMENTS;
	command->argument = args;
	command->is_host_valid = smtp_host_is_valid(args);
	return SMTP_FAULT_NONE;
}

/* "FROM:<path>" or "TO:<path>", then the parameters.  RFC 5321 §4.1.1.2, §4.1.1.3. */
static enum smtp_fault path_after(struct str word, struct str args, struct cursor *c,
				  struct smtp_command *command)
{
	if (!str_starts_nocase(args, word))
		return SMTP_FAULT_ARGUMENTS;
	*c = cur_over(str_skip(args, word.len));
	while (cur_byte(c, ' '))
		continue; /* lenient: see command.h */
	if (!smtp_path_parse(c, SMTP_UTF8, &command->path))
		return SMTP_FAULT_PATH;
	return SMTP_FAULT_NONE;
}

static enum smtp_fault on_mail(struct str args, struct arena *arena,
			       struct smtp_command *command)
{
	struct cursor c;
	enum smtp_fault fault = path_after(STR("FROM:"), args, &c, command);

	if (fault != SMTP_FAULT_NONE)
		return fault;
	if (command->path.domain.len == 0 && command->path.local.len > 0)
		return SMTP_FAULT_PATH; /* "<Postmaster>" is a recipient only */
	return smtp_mail_params_parse(&c, arena, &command->mail);
}

static enum smtp_fault on_rcpt(struct str args, struct arena *arena,
			       struct smtp_command *command)
{
	struct cursor c;
	enum smtp_fault fault = path_after(STR("TO:"), args, &c, command);

	if (fault != SMTP_FAULT_NONE)
		return fault;
	if (command->path.local.len == 0)
		return SMTP_FAULT_PATH; /* "<>" is a reverse-path only */
	return smtp_rcpt_params_parse(&c, arena, &command->rcpt);
}

/* BDAT SP chunk-size [SP "LAST"].  RFC 3030 §2. */
static enum smtp_fault on_bdat(struct str args, struct smtp_command *command)
{
	struct str size = str_cut(&args, ' ');

	if (!num_parse(size, UINT64_MAX, &command->bdat.bytes))
		return SMTP_FAULT_ARGUMENTS;
	command->bdat.is_last = str_same_nocase(args, STR("LAST"));
	return args.len == 0 || command->bdat.is_last ? SMTP_FAULT_NONE
						      : SMTP_FAULT_ARGUMENTS;
}

/* AUTH SP mechanism [SP initial-response].  RFC 4954 §4. */
static enum smtp_fault on_auth(struct str args, struct smtp_command *command)
{
	struct str mechanism = str_cut(&args, ' ');

	if (mechanism.len == 0 || mechanism.len > MECHANISM_MAX ||
	    str_find_byte(args, ' ') < args.len)
		return SMTP_FAULT_ARGUMENTS;
	command->auth.mechanism = mechanism;
	command->auth.initial = args;
	return SMTP_FAULT_NONE;
}

static enum smtp_fault on_text(struct str args, bool is_required,
			       struct smtp_command *command)
{
	command->argument = args;
	return args.len > 0 || !is_required ? SMTP_FAULT_NONE : SMTP_FAULT_ARGUMENTS;
}

static enum smtp_verb verb_find(struct str word)
{
	static const struct {
		struct str word;
		enum smtp_verb verb;
	} verbs[] = {
		{STR("EHLO"), SMTP_EHLO}, {STR("HELO"), SMTP_HELO},
		{STR("LHLO"), SMTP_LHLO}, {STR("MAIL"), SMTP_MAIL},
		{STR("RCPT"), SMTP_RCPT}, {STR("DATA"), SMTP_DATA},
		{STR("BDAT"), SMTP_BDAT}, {STR("RSET"), SMTP_RSET},
		{STR("NOOP"), SMTP_NOOP}, {STR("VRFY"), SMTP_VRFY},
		{STR("EXPN"), SMTP_EXPN}, {STR("HELP"), SMTP_HELP},
		{STR("QUIT"), SMTP_QUIT}, {STR("STARTTLS"), SMTP_STARTTLS},
		{STR("AUTH"), SMTP_AUTH},
	};

	for (size_t i = 0; i < COUNT_OF(verbs); i++)
		if (str_same_nocase(word, verbs[i].word))
			return verbs[i].verb;
	return SMTP_OTHER;
}

/* No control characters, and what is beyond ASCII is UTF-8. */
static bool is_text(struct str line)
{
	for (size_t i = 0; i < line.len; i++)
		if ((unsigned char)line.ptr[i] < 32 || line.ptr[i] == 127)
			return false;
	return utf8_valid(line);
}

static enum smtp_fault arguments(struct str args, struct arena *arena,
				 struct smtp_command *command)
{
	switch (command->verb) {
	case SMTP_EHLO:
	case SMTP_HELO:
	case SMTP_LHLO:
		return on_host(args, command);
	case SMTP_MAIL:
		return on_mail(args, arena, command);
	case SMTP_RCPT:
		return on_rcpt(args, arena, command);
	case SMTP_BDAT:
		return on_bdat(args, command);
	case SMTP_AUTH:
		return on_auth(args, command);
	case SMTP_VRFY:
	case SMTP_EXPN:
		return on_text(args, true, command);
	case SMTP_NOOP:
	case SMTP_HELP:
		return on_text(args, false, command);
	case SMTP_DATA:
	case SMTP_RSET:
	case SMTP_QUIT:
	case SMTP_STARTTLS:
		return args.len == 0 ? SMTP_FAULT_NONE : SMTP_FAULT_ARGUMENTS;
	case SMTP_OTHER:
		break;
	}
	return SMTP_FAULT_VERB;
}

enum smtp_fault smtp_command_parse(struct str line, struct arena *arena,
				   struct smtp_command *command)
{
	*command = (struct smtp_command){.verb = SMTP_OTHER};
	while (line.len > 0 &&
	       (line.ptr[line.len - 1] == ' ' || line.ptr[line.len - 1] == '\t'))
		line.len--;
	struct str args = line;

	command->word = str_cut(&args, ' ');
	command->verb = verb_find(command->word);
	if (line.len >
	    (command->verb == SMTP_AUTH ? SMTP_AUTH_LINE_MAX : SMTP_LINE_MAX) - 2)
		return SMTP_FAULT_LENGTH;
	if (!is_text(line))
		return SMTP_FAULT_OCTETS;
	return arguments(args, arena, command);
}
