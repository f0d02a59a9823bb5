#include "wire/pop3/command.h"

#include "base/num.h"
#include "base/utf8.h"

enum arguments {
	ARGS_NONE,
	ARGS_TEXT,          /* the rest of the line, at least one octet */
	ARGS_MESSAGE,       /* a message number */
	ARGS_MAYBE_MESSAGE, /* one or none */
	ARGS_TOP,           /* a message number and a count of lines */
	ARGS_WORD,          /* one word or none */
	ARGS_AUTH,          /* none, a word, or two */
};

static const struct {
	struct str word;
	enum pop3_verb verb;
	enum arguments arguments;
} verbs[] = {
	{STR("USER"), POP3_USER, ARGS_TEXT},
	{STR("PASS"), POP3_PASS, ARGS_TEXT},
	{STR("STAT"), POP3_STAT, ARGS_NONE},
	{STR("LIST"), POP3_LIST, ARGS_MAYBE_MESSAGE},
	{STR("RETR"), POP3_RETR, ARGS_MESSAGE},
	{STR("DELE"), POP3_DELE, ARGS_MESSAGE},
	{STR("NOOP"), POP3_NOOP, ARGS_NONE},
	{STR("RSET"), POP3_RSET, ARGS_NONE},
	{STR("TOP"), POP3_TOP, ARGS_TOP},
	{STR("UIDL"), POP3_UIDL, ARGS_MAYBE_MESSAGE},
	{STR("QUIT"), POP3_QUIT, ARGS_NONE},
	{STR("CAPA"), POP3_CAPA, ARGS_NONE},
	{STR("STLS"), POP3_STLS, ARGS_NONE},
	{STR("AUTH"), POP3_AUTH, ARGS_AUTH},
	{STR("UTF8"), POP3_UTF8, ARGS_NONE},
	{STR("LANG"), POP3_LANG, ARGS_WORD},
};

static bool number(struct str text, uint32_t *number)
{
	uint64_t value;

	if (!num_parse(text, UINT32_MAX, &value))
		return false;
	*number = (uint32_t)value;
	return true;
}

/* Message numbers start at 1.  RFC 1939 §5. */
static bool message_number(struct str text, struct pop3_command *command)
{
	return number(text, &command->message) && command->message > 0;
}

static bool arguments_parse(struct str args, enum arguments kind,
			    struct pop3_command *command)
{
	struct str first;

	switch (kind) {
	case ARGS_NONE:
		return args.len == 0;
	case ARGS_TEXT:
		command->argument = args;
		return args.len > 0;
	case ARGS_MESSAGE:
		return message_number(args, command);
	case ARGS_MAYBE_MESSAGE:
		return args.len == 0 || message_number(args, command);
	case ARGS_TOP:
		first = str_cut(&args, ' ');
		return message_number(first, command) && number(args, &command->lines);
	case ARGS_WORD:
		command->argument = args;
		return str_find_byte(args, ' ') == args.len;
	case ARGS_AUTH:
		command->argument = str_cut(&args, ' ');
		command->initial = args;
		return str_find_byte(args, ' ') == args.len;
	}
	return false;
}

static bool is_text(struct str line)
{
	for (size_t i = 0; i < line.len; i++)
		if ((unsigned char)line.ptr[i] < 32 || line.ptr[i] == 127)
			return false;
	return utf8_valid(line);
}

enum pop3_fault pop3_command_parse(struct str line, struct pop3_command *command)
{
	struct str args = line;
	struct str word = str_cut(&args, ' ');
	size_t at = 0;

	*command = (struct pop3_command){.verb = POP3_OTHER};
	while (at < COUNT_OF(verbs) && !str_same_nocase(word, verbs[at].word))
		at++;
	if (at < COUNT_OF(verbs))
		command->verb = verbs[at].verb;
	if (line.len >
	    (command->verb == POP3_AUTH ? POP3_AUTH_LINE_MAX : POP3_LINE_MAX) - 2)
		return POP3_FAULT_LENGTH;
	if (at == COUNT_OF(verbs))
		return POP3_FAULT_VERB;
	if (!is_text(line))
		return POP3_FAULT_OCTETS;
	/* Lenient: spaces at the end, which some clients send; but in PASS they count. */
	while (command->verb != POP3_PASS && str_ends(args, STR(" ")))
		args.len--;
	return arguments_parse(args, verbs[at].arguments, command) ? POP3_FAULT_NONE
								   : POP3_FAULT_ARGUMENTS;
}
