#include "wire/imap/command.h"

#include "base/test.h"

static struct arena arena;
static struct str reason;

static bool parse(struct str text, enum imap_state state, struct imap_command *command)
{
	arena_fini(&arena);
	arena_init(&arena, 1 << 20);
	return imap_command_parse(text, (struct imap_dialect){.state = state}, &arena,
				  command, &reason);
}

static const struct {
	struct str input;
	enum imap_state state;
	enum imap_verb verb;
} good[] = {
	{STR("a CAPABILITY\r\n"), IMAP_NOT_AUTHENTICATED, IMAP_CAPABILITY},
	{STR("a.1 noop\r\n"), IMAP_SELECTED, IMAP_NOOP},
	{STR("a LOGOUT\r\n"), IMAP_NOT_AUTHENTICATED, IMAP_LOGOUT},
	{STR("a ID NIL\r\n"), IMAP_NOT_AUTHENTICATED, IMAP_ID},
	{STR("a ID (\"name\" \"x\" \"version\" NIL)\r\n"), IMAP_SELECTED, IMAP_ID},
	{STR("a ID ()\r\n"), IMAP_SELECTED, IMAP_ID},
	{STR("a STARTTLS\r\n"), IMAP_NOT_AUTHENTICATED, IMAP_STARTTLS},
	{STR("a AUTHENTICATE PLAIN\r\n"), IMAP_NOT_AUTHENTICATED, IMAP_AUTHENTICATE},
	{STR("a AUTHENTICATE PLAIN AGEAYg==\r\n"), IMAP_NOT_AUTHENTICATED,
	 IMAP_AUTHENTICATE},
	{STR("a AUTHENTICATE PLAIN \r\n"), IMAP_NOT_AUTHENTICATED, IMAP_AUTHENTICATE},
	{STR("a LOGIN ann (s*%\\\xc3\xa9) \r\n"), IMAP_NOT_AUTHENTICATED, IMAP_LOGIN},
	{STR("a  NOOP \r\n"), IMAP_SELECTED, IMAP_NOOP},
	{STR("a SELECT  INBOX  (CONDSTORE ) \r\n"), IMAP_AUTHENTICATED, IMAP_SELECT},
	{STR("a UID  FETCH  1:*  (FLAGS  UID )  \r\n"), IMAP_SELECTED, IMAP_FETCH},
	{STR("a LOGIN ann \"s e\"\r\n"), IMAP_NOT_AUTHENTICATED, IMAP_LOGIN},
	{STR("a LOGIN {3+}\r\nann {1+}\r\nx\r\n"), IMAP_NOT_AUTHENTICATED, IMAP_LOGIN},
	{STR("a ENABLE IMAP4rev2 CONDSTORE\r\n"), IMAP_AUTHENTICATED, IMAP_ENABLE},
	{STR("a SELECT INBOX\r\n"), IMAP_AUTHENTICATED, IMAP_SELECT},
	{STR("a EXAMINE INBOX\r\n"), IMAP_SELECTED, IMAP_EXAMINE},
	{STR("a CREATE x\r\n"), IMAP_AUTHENTICATED, IMAP_CREATE},
	{STR("a CREATE x (USE (\\Sent))\r\n"), IMAP_AUTHENTICATED, IMAP_CREATE},
	{STR("a CREATE x (USE ())\r\n"), IMAP_AUTHENTICATED, IMAP_CREATE},
	{STR("a DELETE x\r\n"), IMAP_AUTHENTICATED, IMAP_DELETE},
	{STR("a RENAME x y\r\n"), IMAP_AUTHENTICATED, IMAP_RENAME},
	{STR("a SUBSCRIBE x\r\n"), IMAP_AUTHENTICATED, IMAP_SUBSCRIBE},
	{STR("a UNSUBSCRIBE x\r\n"), IMAP_AUTHENTICATED, IMAP_UNSUBSCRIBE},
	{STR("a LIST \"\" *\r\n"), IMAP_AUTHENTICATED, IMAP_LIST},
	{STR("a LSUB \"\" *\r\n"), IMAP_AUTHENTICATED, IMAP_LSUB},
	{STR("a NAMESPACE\r\n"), IMAP_AUTHENTICATED, IMAP_NAMESPACE},
	{STR("a STATUS x (MESSAGES)\r\n"), IMAP_AUTHENTICATED, IMAP_STATUS},
	{STR("a APPEND x {5}\r\n"), IMAP_AUTHENTICATED, IMAP_APPEND},
	{STR("a IDLE\r\n"), IMAP_AUTHENTICATED, IMAP_IDLE},
	{STR("a CHECK\r\n"), IMAP_SELECTED, IMAP_CHECK},
	{STR("a CLOSE\r\n"), IMAP_SELECTED, IMAP_CLOSE},
	{STR("a UNSELECT\r\n"), IMAP_SELECTED, IMAP_UNSELECT},
	{STR("a EXPUNGE\r\n"), IMAP_SELECTED, IMAP_EXPUNGE},
	{STR("a UID EXPUNGE 1:5\r\n"), IMAP_SELECTED, IMAP_EXPUNGE},
	{STR("a SEARCH ALL\r\n"), IMAP_SELECTED, IMAP_SEARCH},
	{STR("a UID SEARCH ALL\r\n"), IMAP_SELECTED, IMAP_SEARCH},
	{STR("a SORT (DATE) UTF-8 ALL\r\n"), IMAP_SELECTED, IMAP_SORT},
	{STR("a UID SORT RETURN (MIN) (DATE) UTF-8 ALL\r\n"), IMAP_SELECTED, IMAP_SORT},
	{STR("a THREAD REFERENCES UTF-8 ALL\r\n"), IMAP_SELECTED, IMAP_THREAD},
	{STR("a UID THREAD REFS UTF-8 ALL\r\n"), IMAP_SELECTED, IMAP_THREAD},
	{STR("a CANCELUPDATE \"b\" \"c\"\r\n"), IMAP_SELECTED, IMAP_CANCELUPDATE},
	{STR("a UID FETCH 1 FLAGS (PARTIAL -1:-5 CHANGEDSINCE 1)\r\n"), IMAP_SELECTED,
	 IMAP_FETCH},
	{STR("a FETCH 1 FLAGS\r\n"), IMAP_SELECTED, IMAP_FETCH},
	{STR("a UID FETCH 1 FLAGS\r\n"), IMAP_SELECTED, IMAP_FETCH},
	{STR("a UID FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)\r\n"), IMAP_SELECTED,
	 IMAP_FETCH},
	{STR("a EXAMINE x (CONDSTORE)\r\n"), IMAP_SELECTED, IMAP_EXAMINE},
	{STR("a STORE 1 FLAGS ()\r\n"), IMAP_SELECTED, IMAP_STORE},
	{STR("a COPY 1 x\r\n"), IMAP_SELECTED, IMAP_COPY},
	{STR("a UID MOVE 1 x\r\n"), IMAP_SELECTED, IMAP_MOVE},
	{STR("a REPLACE 1 x {5}\r\n"), IMAP_SELECTED, IMAP_REPLACE},
	{STR("a UID REPLACE * x CATENATE (URL /a/;UID=1)\r\n"), IMAP_SELECTED,
	 IMAP_REPLACE},
	{STR("a APPEND x CATENATE (URL {5}\r\n"), IMAP_AUTHENTICATED, IMAP_APPEND},
	{STR("a GETQUOTA \"\"\r\n"), IMAP_AUTHENTICATED, IMAP_GETQUOTA},
	{STR("a GETQUOTAROOT x\r\n"), IMAP_AUTHENTICATED, IMAP_GETQUOTAROOT},
	{STR("a SETQUOTA x (STORAGE 5)\r\n"), IMAP_AUTHENTICATED, IMAP_SETQUOTA},
	{STR("a UNAUTHENTICATE\r\n"), IMAP_SELECTED, IMAP_UNAUTHENTICATE},
	{STR("a UIDBATCHES 500\r\n"), IMAP_SELECTED, IMAP_UIDBATCHES},
	{STR("a UIDBATCHES 500 4:1\r\n"), IMAP_SELECTED, IMAP_UIDBATCHES},
	{STR("a COMPRESS DEFLATE\r\n"), IMAP_AUTHENTICATED, IMAP_COMPRESS},
	{STR("a NOTIFY NONE\r\n"), IMAP_AUTHENTICATED, IMAP_NOTIFY},
};

TEST(every_command_is_read)
{
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct imap_command command;

		CHECK(parse(good[i].input, good[i].state, &command));
		CHECK_STR(reason, STR(""));
		CHECK(command.verb == good[i].verb);
		CHECK(imap_verb_name(command.verb).len > 0);
	}
}

static const struct {
	struct str input;
	enum imap_state state;
	struct str tag, reason;
} bad[] = {
	{STR("\r\n"), IMAP_SELECTED, STR(""),
	 STR("a command begins with a tag and a space")},
	{STR("a\r\n"), IMAP_SELECTED, STR(""),
	 STR("a command begins with a tag and a space")},
	{STR("a+b NOOP\r\n"), IMAP_SELECTED, STR(""),
	 STR("a command begins with a tag and a space")},
	{STR("a \r\n"), IMAP_SELECTED, STR("a"), STR("a command is expected at the end")},
	{STR("a FOO\r\n"), IMAP_SELECTED, STR("a"), STR("unknown command \"FOO\"")},
	{STR("a UID\r\n"), IMAP_SELECTED, STR("a"),
	 STR("a command is expected after UID at the end")},
	{STR("a UID NOOP\r\n"), IMAP_SELECTED, STR("a"), STR("unknown command \"NOOP\"")},
	{STR("a NOOP x\r\n"), IMAP_SELECTED, STR("a"),
	 STR("something is too much at \" x\"")},
	{STR("a NOOP\n"), IMAP_SELECTED, STR("a"), STR("lines must end in CRLF")},
	{STR("a SELECT\r\n"), IMAP_SELECTED, STR("a"), STR("arguments are expected")},
	{STR("a SELECT x\r\n"), IMAP_NOT_AUTHENTICATED, STR("a"), STR("log in first")},
	{STR("a FETCH 1 FLAGS\r\n"), IMAP_AUTHENTICATED, STR("a"),
	 STR("select a mailbox first")},
	{STR("a LOGIN x y\r\n"), IMAP_SELECTED, STR("a"),
	 STR("you are logged in already")},
	{STR("a LOGIN secret\r\n"), IMAP_NOT_AUTHENTICATED, STR("a"),
	 STR("a user and a password are expected")},
	{STR("a LOGIN x \"secret\r\n"), IMAP_NOT_AUTHENTICATED, STR("a"),
	 STR("a user and a password are expected")},
	{STR("a LOGIN x y secret\r\n"), IMAP_NOT_AUTHENTICATED, STR("a"),
	 STR("too many arguments")},
	{STR("a AUTHENTICATE (\r\n"), IMAP_NOT_AUTHENTICATED, STR("a"),
	 STR("a mechanism is expected at \"(\"")},
	{STR("a AUTHENTICATE PLAIN \x80\r\n"), IMAP_NOT_AUTHENTICATED, STR("a"),
	 STR("an initial response is expected")},
	{STR("a AUTHENTICATE PLAIN x y\r\n"), IMAP_NOT_AUTHENTICATED, STR("a"),
	 STR("too many arguments")},
	{STR("a ID x\r\n"), IMAP_SELECTED, STR("a"),
	 STR("a list or NIL is expected at \"x\"")},
	{STR("a ID (\"a\")\r\n"), IMAP_SELECTED, STR("a"),
	 STR("a field and its value are expected at \")\"")},
	{STR("a ENABLE (\r\n"), IMAP_SELECTED, STR("a"),
	 STR("a capability is expected at \"(\"")},
	{STR("a CREATE x y\r\n"), IMAP_SELECTED, STR("a"),
	 STR("USE and a list is expected at \"y\"")},
	{STR("a CREATE x (USE (\\))\r\n"), IMAP_SELECTED, STR("a"),
	 STR("a use is expected at \"))\"")},
	{STR("a CREATE x (USE (\\Sent \\Junk))\r\n"), IMAP_SELECTED, STR("a"),
	 STR("one use is the most, and the list must end at \" \\Junk))\"")},
	{STR("a CREATE (\r\n"), IMAP_SELECTED, STR("a"),
	 STR("a mailbox name is expected at \"(\"")},
	{STR("a RENAME x\r\n"), IMAP_SELECTED, STR("a"),
	 STR("a new name is expected at the end")},
	{STR("a STATUS x\r\n"), IMAP_SELECTED, STR("a"),
	 STR("status items are expected at the end")},
	{STR("a COPY 1\r\n"), IMAP_SELECTED, STR("a"),
	 STR("a mailbox name is expected at the end")},
	{STR("a FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)\r\n"), IMAP_SELECTED, STR("a"),
	 STR("VANISHED is for UID FETCH only")},
	{STR("a GETQUOTA (\r\n"), IMAP_SELECTED, STR("a"),
	 STR("a quota root is expected at \"(\"")},
	{STR("a UNAUTHENTICATE\r\n"), IMAP_NOT_AUTHENTICATED, STR("a"),
	 STR("log in first")},
	{STR("a UIDBATCHES 0\r\n"), IMAP_SELECTED, STR("a"),
	 STR("a number of messages is expected at \"0\"")},
	{STR("a UIDBATCHES 500 1\r\n"), IMAP_SELECTED, STR("a"),
	 STR("a range of batches is expected at the end")},
	{STR("a COMPRESS (\r\n"), IMAP_SELECTED, STR("a"),
	 STR("an algorithm is expected at \"(\"")},
	{STR("a FETCH 1 FOO\r\n"), IMAP_SELECTED, STR("a"), STR("unknown item \"FOO\"")},
};

TEST(a_wrong_command_gets_its_reason)
{
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct imap_command command;

		CHECK(!parse(bad[i].input, bad[i].state, &command));
		CHECK_STR(command.tag, bad[i].tag);
		CHECK_STR(reason, bad[i].reason);
	}
}

TEST(arguments_arrive)
{
	struct imap_command c;

	CHECK(parse(STR("a LOGIN {3}\r\nann \"p\\\"w\"\r\n"), IMAP_NOT_AUTHENTICATED,
		    &c));
	CHECK_STR(c.login.user, STR("ann"));
	CHECK_STR(c.login.password, STR("p\"w"));
	CHECK(parse(STR("a AUTHENTICATE PLAIN =\r\n"), IMAP_NOT_AUTHENTICATED, &c));
	CHECK(c.authenticate.has_initial && c.authenticate.initial.len == 0);
	CHECK(parse(STR("a ID (\"name\" \"x\")\r\n"), IMAP_SELECTED, &c));
	CHECK(c.id.count == 2);
	CHECK_STR(c.id.pairs[1], STR("x"));
	CHECK(parse(STR("a ENABLE A B\r\n"), IMAP_SELECTED, &c) && c.enable.count == 2);
	CHECK(parse(STR("a CREATE x (USE (\\Sent))\r\n"), IMAP_SELECTED, &c));
	CHECK_STR(c.create.use, STR("\\Sent"));
	CHECK(parse(STR("a RENAME x inbox\r\n"), IMAP_SELECTED, &c));
	CHECK_STR(c.rename.to, STR("INBOX"));
	CHECK(parse(STR("a UID FETCH 9 FLAGS\r\n"), IMAP_SELECTED, &c) && c.is_uid);
	CHECK(c.fetch.items == (IMAP_FETCH_UID | IMAP_FETCH_FLAGS));
	CHECK(parse(STR("a UID EXPUNGE 9\r\n"), IMAP_SELECTED, &c) && c.is_uid);
	CHECK(c.copy.set.count == 1);
}

static bool repeated(const char *head, const char *item, int count, const char *tail)
{
	SCOPED(buf_fini) struct buf text = BUF(10000);
	struct imap_command command;

	buf_add_c(&text, head);
	for (int i = 0; i < count; i++)
		buf_add_c(&text, item);
	buf_add_c(&text, tail);
	return parse(buf_str(&text), IMAP_AUTHENTICATED, &command);
}

TEST(lists_in_commands_are_bounded)
{
	CHECK(!repeated("a ID (\"a\" NIL", " \"a\" NIL", IMAP_ID_PAIRS_MAX, ")\r\n"));
	CHECK(!repeated("a ENABLE a", " a", IMAP_ENABLE_MAX, "\r\n"));
	CHECK(!repeated("", "a", IMAP_TAG_MAX + 1, " NOOP\r\n"));
	CHECK(repeated("", "a", IMAP_TAG_MAX, " NOOP\r\n"));
}

TEST(commands_with_numbers_are_known)
{
	CHECK(imap_verb_has_numbers(IMAP_FETCH) && imap_verb_has_numbers(IMAP_REPLACE));
	CHECK(!imap_verb_has_numbers(IMAP_EXPUNGE) && !imap_verb_has_numbers(IMAP_NOOP));
}
