#include "wire/imap/response.h"

#include "base/test.h"

static const struct {
	struct str so_far;
	bool ok;
	uint64_t len;
	bool is_message;
} literals[] = {
	{STR("* 1 FETCH (UID 5 BODY[] {310}"), true, 310, true},
	{STR("* 1 FETCH (UID 5 body[] ~{0}"), true, 0, true},
	{STR("* 1 FETCH (BODY[TEXT] {3}"), true, 3, false},
	{STR("* LIST () \"/\" {4}"), true, 4, false},
	{STR("* OK BODY[] {310}"), false, 0, false},
	{STR("a1 OK {310}"), false, 0, false},
	{STR("+ {310}"), false, 0, false},
	{STR("* LIST () \"/\" {4"), false, 0, false},
	{STR("* LIST () \"/\" {}"), false, 0, false},
	{STR("* LIST () \"/\" {99999999999999999999}"), false, 0, false},
	{STR("{3}"), false, 0, false},
	{STR(""), false, 0, false},
};

TEST(response_tells_literals_from_words)
{
	for (size_t i = 0; i < COUNT_OF(literals); i++) {
		uint64_t len = 0;
		bool is_message = false;

		CHECK(imap_response_literal(literals[i].so_far, &len, &is_message) ==
		      literals[i].ok);
		CHECK(!literals[i].ok ||
		      (len == literals[i].len && is_message == literals[i].is_message));
	}
}

static struct arena arena;

static bool reads(struct str text, struct imap_response *response)
{
	struct imap_in in = imap_in_over(text, &arena);
	bool ok = imap_response(&in, response);

	CHECK(ok || (in.reason.len > 0 && in.at.at == text.ptr));
	return ok;
}

static const struct {
	struct str input;
	enum imap_response_kind kind;
	enum imap_condition condition;
	struct str tag, code, text, capabilities;
} statuses[] = {
	{STR("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hello\r\n"), IMAP_SAYS_STATUS,
	 IMAP_IS_OK, STR("*"), STR("CAPABILITY IMAP4rev1 AUTH=PLAIN"), STR("hello"),
	 STR("IMAP4rev1 AUTH=PLAIN")},
	{STR("* BYE gone\r\n"), IMAP_SAYS_STATUS, IMAP_IS_BYE, STR("*"), STR(""),
	 STR("gone"), STR("")},
	{STR("* PREAUTH\r\n"), IMAP_SAYS_STATUS, IMAP_IS_PREAUTH, STR("*"), STR(""),
	 STR(""), STR("")},
	{STR("* CAPABILITY IMAP4rev1 IDLE\r\n"), IMAP_SAYS_CAPABILITY, IMAP_IS_OK,
	 STR("*"), STR(""), STR("IMAP4rev1 IDLE"), STR("IMAP4rev1 IDLE")},
	{STR("a1 no [AUTHENTICATIONFAILED] wrong\r\n"), IMAP_SAYS_DONE, IMAP_IS_NO,
	 STR("a1"), STR("AUTHENTICATIONFAILED"), STR("wrong"), STR("")},
	{STR("a1 BAD [ no end\r\n"), IMAP_SAYS_DONE, IMAP_IS_BAD, STR("a1"), STR(""),
	 STR("[ no end"), STR("")},
	{STR("+ go\r\n"), IMAP_SAYS_CONTINUE, IMAP_IS_OK, STR("+"), STR(""), STR("go"),
	 STR("")},
	{STR("+\r\n"), IMAP_SAYS_CONTINUE, IMAP_IS_OK, STR("+"), STR(""), STR(""),
	 STR("")},
	{STR("* 23 EXISTS\r\n"), IMAP_SAYS_EXISTS, IMAP_IS_OK, STR("*"), STR(""), STR(""),
	 STR("")},
	{STR("* SEARCH 1 2 3\r\n"), IMAP_SAYS_OTHER, IMAP_IS_OK, STR("*"), STR(""),
	 STR(""), STR("")},
};

TEST(response_reads_conditions)
{
	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < COUNT_OF(statuses); i++) {
		struct imap_response response;

		CHECK(reads(statuses[i].input, &response));
		CHECK(response.kind == statuses[i].kind);
		CHECK(response.condition == statuses[i].condition);
		CHECK_STR(response.tag, statuses[i].tag);
		CHECK_STR(response.code, statuses[i].code);
		CHECK_STR(response.text, statuses[i].text);
		CHECK_STR(response.capabilities, statuses[i].capabilities);
	}
	arena_fini(&arena);
}

static const struct {
	struct str input;
	bool is_selectable;
	struct str attributes;
	char delimiter;
	struct str name;
} lists[] = {
	{STR("* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent Mail\"\r\n"), true,
	 STR("\\HasNoChildren \\Sent"), '/', STR("Sent Mail")},
	{STR("* LIST () \".\" INBOX.a]b\r\n"), true, STR(""), '.', STR("INBOX.a]b")},
	{STR("* list (\\noselect) NIL {3}\r\na\"b\r\n"), false, STR("\\noselect"), '\0',
	 STR("a\"b")},
	{STR("* LIST (\\NonExistent) \"\\\\\" \"a\\\\b\" (CHILDINFO (\"X\"))\r\n"), false,
	 STR("\\NonExistent"), '\\', STR("a\\b")},
};

TEST(response_reads_mailboxes)
{
	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		struct imap_response response;

		CHECK(reads(lists[i].input, &response));
		CHECK(response.kind == IMAP_SAYS_LIST);
		CHECK(response.list.is_selectable == lists[i].is_selectable);
		CHECK_STR(response.list.attributes, lists[i].attributes);
		CHECK(response.list.delimiter == lists[i].delimiter);
		CHECK_STR(response.list.name, lists[i].name);
	}
	arena_fini(&arena);
}

TEST(response_reads_messages)
{
	struct imap_response response;

	arena_init(&arena, 1 << 20);
	CHECK(reads(STR("* 7 FETCH (X-NEW (a (b \"c)\")) UID 12 BODY[] {310}\r\n FLAGS "
			"(\\Seen $Label1 \\Odd \\Recent na(me) INTERNALDATE "
			"\"17-Jul-1996 02:44:25 -0700\")\r\n"),
		    &response) == false);
	CHECK(reads(STR("* 7 FETCH (X-NEW (a (b \"c)\")) UID 12 BODY[] {310}\r\n FLAGS "
			"(\\Seen $Label1 \\Odd \\Recent a\\b) INTERNALDATE "
			"\"17-Jul-1996 02:44:25 -0700\")\r\n"),
		    &response));
	CHECK(response.kind == IMAP_SAYS_FETCH && response.fetch.uid == 12);
	CHECK(response.fetch.body == IMAP_TEXT_OUTSIDE);
	CHECK(response.fetch.flags.system == IMAP_SEEN);
	CHECK(response.fetch.flags.keyword_count == 1);
	CHECK_STR(response.fetch.flags.keywords[0], STR("$Label1"));
	CHECK(response.fetch.has_date && response.fetch.date.zone_minutes == -420);
	CHECK(response.fetch.date.at_s == 837596665);
	CHECK(reads(STR("* 1 FETCH (BODY[] \"hi\" INTERNALDATE \"soon\")\r\n"),
		    &response));
	CHECK(response.fetch.body == IMAP_TEXT_HERE && !response.fetch.has_date);
	CHECK_STR(response.fetch.text, STR("hi"));
	CHECK(reads(STR("* 1 FETCH (BODY[] NIL UID 4)\r\n"), &response));
	CHECK(response.fetch.body == IMAP_TEXT_ABSENT && response.fetch.uid == 4);
	arena_fini(&arena);
}

TEST(response_reads_name_spaces)
{
	struct imap_response response;

	arena_init(&arena, 1 << 20);
	CHECK(reads(STR("* NAMESPACE ((\"INBOX.\" \".\" \"X\" (\"y\"))(\"#mh/\" \"/\")) "
			"NIL ((\"shared/\" \"/\"))\r\n"),
		    &response));
	CHECK(response.kind == IMAP_SAYS_NAMESPACE);
	CHECK_STR(response.namespaces.personal, STR("INBOX."));
	CHECK(response.namespaces.delimiter == '.');
	CHECK_STR(response.namespaces.others, STR(""));
	CHECK_STR(response.namespaces.shared, STR("shared/"));
	arena_fini(&arena);
}

static const struct str wrong[] = {
	STR(""),
	STR("\r\n"),
	STR("*\r\n"),
	STR("a1 MAYBE x\r\n"),
	STR("a1 OK no end"),
	STR("* LIST () \"/\"\r\n"),
	STR("* LIST () \"//\" a\r\n"),
	STR("* LIST (a \"/\" b\r\n"),
	STR("* 1 FETCH UID 3\r\n"),
	STR("* 1 FETCH (UID 0)\r\n"),
	STR("* 1 FETCH (UID 3\r\n"),
	STR("* 1 FETCH (FLAGS)\r\n"),
	STR("* 1 FETCH (BODY[] {3}"),
	STR("* 1 FETCH (X ((((((((((((((((((((((((((((((((((((((((((((((1\r\n"),
	STR("* NAMESPACE ((INBOX \".\")) NIL NIL\r\n"),
	STR("* NAMESPACE NIL NIL\r\n"),
};

TEST(response_refuses_what_follows_no_grammar)
{
	struct imap_response response;

	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		CHECK(!reads(wrong[i], &response));
	arena_fini(&arena);
}

TEST(response_finds_words)
{
	CHECK(imap_has_word(STR("IMAP4rev1 idle"), STR("IDLE")));
	CHECK(!imap_has_word(STR("IMAP4rev1 IDLES"), STR("IDLE")));
	CHECK(!imap_has_word(STR(""), STR("IDLE")));
}
