#include "wire/pop3/command.h"

#include "base/buf.h"
#include "base/test.h"

TEST(tells_pop3_commands_apart)
{
	static const struct {
		struct str line;
		enum pop3_verb verb;
		enum pop3_fault fault;
		uint32_t message, lines;
		struct str argument;
	} cases[] = {
		{STR("USER ann"), POP3_USER, POP3_FAULT_NONE, 0, 0, STR("ann")},
		{STR("user ann@example.org "), POP3_USER, POP3_FAULT_NONE, 0, 0,
		 STR("ann@example.org")},
		{STR("PASS a b "), POP3_PASS, POP3_FAULT_NONE, 0, 0, STR("a b ")},
		{STR("PASS"), POP3_PASS, POP3_FAULT_ARGUMENTS, 0, 0, STR("")},
		{STR("STAT"), POP3_STAT, POP3_FAULT_NONE, 0, 0, STR("")},
		{STR("STAT "), POP3_STAT, POP3_FAULT_NONE, 0, 0, STR("")},
		{STR("STAT 1"), POP3_STAT, POP3_FAULT_ARGUMENTS, 0, 0, STR("")},
		{STR("LIST"), POP3_LIST, POP3_FAULT_NONE, 0, 0, STR("")},
		{STR("LIST 7"), POP3_LIST, POP3_FAULT_NONE, 7, 0, STR("")},
		{STR("LIST 0"), POP3_LIST, POP3_FAULT_ARGUMENTS, 0, 0, STR("")},
		{STR("RETR 4294967295"), POP3_RETR, POP3_FAULT_NONE, UINT32_MAX, 0,
		 STR("")},
		{STR("RETR 4294967296"), POP3_RETR, POP3_FAULT_ARGUMENTS, 0, 0, STR("")},
		{STR("RETR"), POP3_RETR, POP3_FAULT_ARGUMENTS, 0, 0, STR("")},
		{STR("RETR -1"), POP3_RETR, POP3_FAULT_ARGUMENTS, 0, 0, STR("")},
		{STR("DELE 2"), POP3_DELE, POP3_FAULT_NONE, 2, 0, STR("")},
		{STR("TOP 3 0"), POP3_TOP, POP3_FAULT_NONE, 3, 0, STR("")},
		{STR("top 3 20"), POP3_TOP, POP3_FAULT_NONE, 3, 20, STR("")},
		{STR("TOP 3"), POP3_TOP, POP3_FAULT_ARGUMENTS, 3, 0, STR("")},
		{STR("UIDL"), POP3_UIDL, POP3_FAULT_NONE, 0, 0, STR("")},
		{STR("UIDL 1"), POP3_UIDL, POP3_FAULT_NONE, 1, 0, STR("")},
		{STR("NOOP"), POP3_NOOP, POP3_FAULT_NONE, 0, 0, STR("")},
		{STR("RSET"), POP3_RSET, POP3_FAULT_NONE, 0, 0, STR("")},
		{STR("QUIT"), POP3_QUIT, POP3_FAULT_NONE, 0, 0, STR("")},
		{STR("CAPA"), POP3_CAPA, POP3_FAULT_NONE, 0, 0, STR("")},
		{STR("STLS"), POP3_STLS, POP3_FAULT_NONE, 0, 0, STR("")},
		{STR("AUTH"), POP3_AUTH, POP3_FAULT_NONE, 0, 0, STR("")},
		{STR("AUTH PLAIN ="), POP3_AUTH, POP3_FAULT_NONE, 0, 0, STR("PLAIN")},
		{STR("AUTH PLAIN a b"), POP3_AUTH, POP3_FAULT_ARGUMENTS, 0, 0,
		 STR("PLAIN")},
		{STR("UTF8"), POP3_UTF8, POP3_FAULT_NONE, 0, 0, STR("")},
		{STR("LANG"), POP3_LANG, POP3_FAULT_NONE, 0, 0, STR("")},
		{STR("LANG de-AT"), POP3_LANG, POP3_FAULT_NONE, 0, 0, STR("de-AT")},
		{STR("LANG de at"), POP3_LANG, POP3_FAULT_ARGUMENTS, 0, 0, STR("de at")},
		{STR("APOP ann 0"), POP3_OTHER, POP3_FAULT_VERB, 0, 0, STR("")},
		{STR(""), POP3_OTHER, POP3_FAULT_VERB, 0, 0, STR("")},
		{STR("PASS a\tb"), POP3_PASS, POP3_FAULT_OCTETS, 0, 0, STR("")},
		{STR("PASS a\x7f"
		     "b"),
		 POP3_PASS, POP3_FAULT_OCTETS, 0, 0, STR("")},
		{STR("PASS \xc3"), POP3_PASS, POP3_FAULT_OCTETS, 0, 0, STR("")},
		{STR("PASS \xc3\xbc"), POP3_PASS, POP3_FAULT_NONE, 0, 0, STR("\xc3\xbc")},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct pop3_command c;

		if (pop3_command_parse(cases[i].line, &c) != cases[i].fault ||
		    c.verb != cases[i].verb)
			CHECK_STR(cases[i].line, STR("another verdict"));
		CHECK(c.message == cases[i].message && c.lines == cases[i].lines);
		CHECK_STR(c.argument, cases[i].argument);
	}
}

TEST(bounds_pop3_lines)
{
	struct buf line = BUF(POP3_AUTH_LINE_MAX);
	struct pop3_command command;

	buf_add(&line, STR("PASS "));
	while (line.len < POP3_LINE_MAX - 2)
		buf_add_byte(&line, 'x');
	CHECK(pop3_command_parse(buf_str(&line), &command) == POP3_FAULT_NONE);
	buf_add_byte(&line, 'x');
	CHECK(pop3_command_parse(buf_str(&line), &command) == POP3_FAULT_LENGTH);
	memcpy(line.ptr, "AUTH X ", 7);
	CHECK(pop3_command_parse(buf_str(&line), &command) == POP3_FAULT_NONE);
	CHECK(command.initial.len == POP3_LINE_MAX - 1 - 7);
	while (line.len < POP3_AUTH_LINE_MAX - 1)
		buf_add_byte(&line, 'x');
	CHECK(pop3_command_parse(buf_str(&line), &command) == POP3_FAULT_LENGTH);
	buf_fini(&line);
}
