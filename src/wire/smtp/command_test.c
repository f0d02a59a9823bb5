#include "wire/smtp/command.h"

#include "base/test.h"

static struct arena arena;

static enum smtp_fault parse(struct str line, struct smtp_command *command)
{
	arena_fini(&arena);
	arena_init(&arena, 4000);
	return smtp_command_parse(line, &arena, command);
}

static const struct {
	struct str line;
	enum smtp_verb verb;
	enum smtp_fault fault;
} cases[] = {
	{STR("EHLO mail.example.org"), SMTP_EHLO, SMTP_FAULT_NONE},
	{STR("ehlo [192.0.2.1]  "), SMTP_EHLO, SMTP_FAULT_NONE},
	{STR("HELO my_pc"), SMTP_HELO, SMTP_FAULT_NONE},
	{STR("LHLO x"), SMTP_LHLO, SMTP_FAULT_NONE},
	{STR("EHLO"), SMTP_EHLO, SMTP_FAULT_ARGUMENTS},
	{STR("EHLO a b"), SMTP_EHLO, SMTP_FAULT_ARGUMENTS},
	{STR("MAIL FROM:<>"), SMTP_MAIL, SMTP_FAULT_NONE},
	{STR("mail from:<ann@example.org> BODY=8BITMIME"), SMTP_MAIL, SMTP_FAULT_NONE},
	{STR("MAIL FROM: <ann@example.org>"), SMTP_MAIL, SMTP_FAULT_NONE},
	{STR("MAIL FROM:<ann@example.org>SIZE=1"), SMTP_MAIL, SMTP_FAULT_ARGUMENTS},
	{STR("MAIL FROM:<ann@example.org> X=1"), SMTP_MAIL, SMTP_FAULT_PARAM_UNKNOWN},
	{STR("MAIL FROM:<ann@example.org> SIZE=x"), SMTP_MAIL, SMTP_FAULT_PARAM},
	{STR("MAIL FROM:ann@example.org"), SMTP_MAIL, SMTP_FAULT_PATH},
	{STR("MAIL FROM:<postmaster>"), SMTP_MAIL, SMTP_FAULT_PATH},
	{STR("MAIL <ann@example.org>"), SMTP_MAIL, SMTP_FAULT_ARGUMENTS},
	{STR("MAIL"), SMTP_MAIL, SMTP_FAULT_ARGUMENTS},
	{STR("RCPT TO:<ann@example.org> NOTIFY=NEVER"), SMTP_RCPT, SMTP_FAULT_NONE},
	{STR("RCPT TO:<Postmaster>"), SMTP_RCPT, SMTP_FAULT_NONE},
	{STR("RCPT TO:<>"), SMTP_RCPT, SMTP_FAULT_PATH},
	{STR("RCPT TO:"), SMTP_RCPT, SMTP_FAULT_PATH},
	{STR("RCPT FROM:<ann@example.org>"), SMTP_RCPT, SMTP_FAULT_ARGUMENTS},
	{STR("DATA"), SMTP_DATA, SMTP_FAULT_NONE},
	{STR("DATA \t "), SMTP_DATA, SMTP_FAULT_NONE},
	{STR("DATA x"), SMTP_DATA, SMTP_FAULT_ARGUMENTS},
	{STR("BDAT 100"), SMTP_BDAT, SMTP_FAULT_NONE},
	{STR("BDAT 0 last"), SMTP_BDAT, SMTP_FAULT_NONE},
	{STR("BDAT"), SMTP_BDAT, SMTP_FAULT_ARGUMENTS},
	{STR("BDAT 5 LOST"), SMTP_BDAT, SMTP_FAULT_ARGUMENTS},
	{STR("BDAT 99999999999999999999"), SMTP_BDAT, SMTP_FAULT_ARGUMENTS},
	{STR("RSET"), SMTP_RSET, SMTP_FAULT_NONE},
	{STR("NOOP are you there"), SMTP_NOOP, SMTP_FAULT_NONE},
	{STR("HELP"), SMTP_HELP, SMTP_FAULT_NONE},
	{STR("VRFY"), SMTP_VRFY, SMTP_FAULT_ARGUMENTS},
	{STR("VRFY ann"), SMTP_VRFY, SMTP_FAULT_NONE},
	{STR("EXPN staff"), SMTP_EXPN, SMTP_FAULT_NONE},
	{STR("QUIT now"), SMTP_QUIT, SMTP_FAULT_ARGUMENTS},
	{STR("STARTTLS"), SMTP_STARTTLS, SMTP_FAULT_NONE},
	{STR("AUTH PLAIN AGEAYg=="), SMTP_AUTH, SMTP_FAULT_NONE},
	{STR("AUTH LOGIN"), SMTP_AUTH, SMTP_FAULT_NONE},
	{STR("AUTH"), SMTP_AUTH, SMTP_FAULT_ARGUMENTS},
	{STR("AUTH PLAIN a b"), SMTP_AUTH, SMTP_FAULT_ARGUMENTS},
	{STR("AUTH A-MECHANISM-TOO-LONG1"), SMTP_AUTH, SMTP_FAULT_ARGUMENTS},
	{STR("GET / HTTP/1.1"), SMTP_OTHER, SMTP_FAULT_VERB},
	{STR(""), SMTP_OTHER, SMTP_FAULT_VERB},
	{STR("NOOP \x01"), SMTP_NOOP, SMTP_FAULT_OCTETS},
	{STR("NOOP \x7f"), SMTP_NOOP, SMTP_FAULT_OCTETS},
	{STR("NOOP a\rb"), SMTP_NOOP, SMTP_FAULT_OCTETS},
	{STR("NOOP a\0b"), SMTP_NOOP, SMTP_FAULT_OCTETS},
	{STR("NOOP \xff"), SMTP_NOOP, SMTP_FAULT_OCTETS},
};

TEST(tells_what_is_wrong_with_a_command)
{
	struct smtp_command command;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		enum smtp_fault fault = parse(cases[i].line, &command);

		if (fault != cases[i].fault || command.verb != cases[i].verb)
			CHECK_STR(cases[i].line, STR("another verdict"));
	}
	arena_fini(&arena);
}

TEST(hands_over_what_a_command_says)
{
	struct smtp_command c;

	CHECK(parse(STR("EHLO mail.example.org "), &c) == SMTP_FAULT_NONE);
	CHECK_STR(c.argument, STR("mail.example.org"));
	CHECK(c.is_host_valid);
	CHECK(parse(STR("EHLO my_pc"), &c) == SMTP_FAULT_NONE && !c.is_host_valid);
	CHECK(parse(STR("MAIL FROM:<j\xc3\xbcrg@example.org> SMTPUTF8 SIZE=5"), &c) ==
	      SMTP_FAULT_NONE);
	CHECK(c.path.is_utf8 && c.mail.size == 5);
	CHECK_STR(c.path.local, STR("j\xc3\xbcrg"));
	CHECK(parse(STR("BDAT 12 LAST"), &c) == SMTP_FAULT_NONE);
	CHECK(c.bdat.bytes == 12 && c.bdat.is_last);
	CHECK(parse(STR("auth plain ="), &c) == SMTP_FAULT_NONE);
	CHECK_STR(c.auth.mechanism, STR("plain"));
	CHECK_STR(c.auth.initial, STR("="));
	CHECK(parse(STR("VRFY ann lee"), &c) == SMTP_FAULT_NONE);
	CHECK_STR(c.argument, STR("ann lee"));
	CHECK_STR(c.word, STR("VRFY"));
	arena_fini(&arena);
}

TEST(bounds_command_lines)
{
	struct buf line = BUF(SMTP_AUTH_LINE_MAX);
	struct smtp_command command;

	buf_add(&line, STR("NOOP "));
	while (line.len < SMTP_LINE_MAX - 2)
		buf_add_byte(&line, 'x');
	CHECK(parse(buf_str(&line), &command) == SMTP_FAULT_NONE);
	buf_add_byte(&line, 'x');
	CHECK(parse(buf_str(&line), &command) == SMTP_FAULT_LENGTH);
	memcpy(line.ptr, "AUTH PLAIN ", 11);
	CHECK(parse(buf_str(&line), &command) == SMTP_FAULT_NONE);
	while (line.len < SMTP_AUTH_LINE_MAX - 1)
		buf_add_byte(&line, 'x');
	CHECK(parse(buf_str(&line), &command) == SMTP_FAULT_LENGTH);
	buf_fini(&line);
	arena_fini(&arena);
}
