#include "sieve/sieve.h"

#include "base/buf.h"
#include "base/test.h"
#include "wire/sieve/script.h"

static const char *const mail_text =
	"From: Ann Example <ann@example.org>\r\n"
	"To: bob+lists@example.net, \"Carl C\" <carl@EXAMPLE.com>\r\n"
	"Cc: friends: dora@example.net, emil@example.net;\r\n"
	"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= from\r\n"
	" afar\r\n"
	"X-Empty:\r\n"
	"X-Count: 12 things\r\n"
	"Received: from a by b; Mon, 5 Jan 2026 23:30:00 -0500\r\n"
	"Received: from c by d; Mon, 5 Jan 2026 10:00:00 +0000\r\n"
	"Date: Sun, 4 Jan 2026 12:34:56 +0200\r\n"
	"Content-Type: text/plain; charset=iso-8859-1\r\n"
	"Content-Transfer-Encoding: quoted-printable\r\n"
	"\r\n"
	"Sch=F6ne Gr=FC=DFe,\r\nAnn\r\n";

static struct sieve_mail mail_of(struct mail_header *header, struct arena *arena,
				 struct str text)
{
	*header = mail_header_split(arena, text, SIEVE_FIELDS_MAX);
	return (struct sieve_mail){.header = header,
				   .text = text,
				   .bytes = text.len,
				   .from = STR("ann@bounces.example.org"),
				   .to = STR("bob+lists@example.net"),
				   .now_s = 1767691800, /* 2026-01-06 09:30 UTC */
				   .zone_minutes = 60,
				   .host = STR("mx.example.net"),
				   .client_ip = STR("192.0.2.1"),
				   .client_name = STR("")};
}

static void say_outcome(struct buf *out, const struct sieve_outcome *outcome)
{
	static const char *const names[] = {"keep", "fileinto", "redirect", "discard"};

	if (outcome->flaw.line > 0)
		buf_printf(out, "%u! %.*s: ", outcome->flaw.line,
			   STR_FMT(outcome->flaw.sentence));
	for (size_t i = 0; i < outcome->count; i++) {
		const struct sieve_action *a = &outcome->actions[i];

		buf_printf(out, "%s%s", i > 0 ? ", " : "", names[a->kind]);
		if (a->target.len > 0)
			buf_printf(out, " %.*s", STR_FMT(a->target));
		if (a->flags.len > 0)
			buf_printf(out, " (%.*s)", STR_FMT(a->flags));
	}
}

/* What the script does with the mail, or what is wrong with it. */
static void run_over(const char *file, int line, struct str script, struct str text,
		     const char *want)
{
	SCOPED(buf_fini) struct buf out = BUF(1 << 16);
	struct sieve_script *compiled;
	struct sieve_outcome outcome;
	struct mail_header header;
	struct sieve_flaw flaw;
	struct arena arena;

	arena_init(&arena, 1 << 26);
	struct sieve_mail mail = mail_of(&header, &arena, text);

	if (sieve_compile(script, &arena, &compiled, &flaw) == OK) {
		sieve_run(compiled, &mail, &arena, &outcome);
		say_outcome(&out, &outcome);
	} else {
		buf_printf(&out, "%u: %.*s", flaw.line, STR_FMT(flaw.sentence));
	}
	test_check_str(file, line, script.ptr, buf_str(&out), str_c(want));
	arena_fini(&arena);
}

#define DOES(script, want)                                                               \
	run_over(__FILE__, __LINE__, str_c(script), str_c(mail_text), (want))
/* The test, with everything required, holds or does not. */
#define EVERYTHING                                                                       \
	"require [\"fileinto\", \"envelope\", \"encoded-character\", \"copy\", "         \
	"\"variables\", \"relational\", \"comparator-i;ascii-numeric\", "                \
	"\"comparator-i;unicode-casemap\", \"ihave\", \"subaddress\", "                  \
	"\"imap4flags\", \"body\", \"date\", \"index\", \"environment\"];\n"
#define HOLDS(test)   DOES(EVERYTHING "if " test "{discard;}", "discard")
#define FAILS(test)   DOES(EVERYTHING "if " test "{discard;}", "keep")
#define WRONG(t, why) DOES(EVERYTHING "if " t "{discard;}", why)

TEST(sieve_keeps_unless_told_otherwise)
{
	DOES("", "keep");
	DOES("keep;", "keep");
	DOES("discard;", "discard");
	DOES("discard; keep;", "keep");
	DOES("stop; discard;", "keep");
	DOES("if size :over 500K { discard; }", "keep");
	DOES("require \"fileinto\"; fileinto \"a\";", "fileinto a");
	DOES("require \"fileinto\"; fileinto \"a\"; keep;", "fileinto a, keep");
	DOES("require \"fileinto\"; fileinto \"a\"; discard;", "fileinto a");
	DOES("redirect \"x@example.org\";", "redirect x@example.org");
	DOES("redirect \"Name <x@example.org>\";", "redirect x@example.org");
	DOES("require [\"fileinto\", \"copy\"]; fileinto :copy \"a\";",
	     "fileinto a, keep");
	DOES("require [\"copy\"]; redirect :copy \"x@example.org\";",
	     "redirect x@example.org, keep");
}

TEST(sieve_takes_the_branch_that_holds)
{
	DOES("if true { discard; } else { keep; }", "discard");
	DOES("if false { discard; } else { redirect \"x@y.example\"; }",
	     "redirect x@y.example");
	DOES("if false { } elsif true { discard; } elsif true { keep; } else { keep; }",
	     "discard");
	DOES("if true { } elsif true { discard; }", "keep");
	DOES("if true { stop; } discard;", "keep");
	DOES("if true { if false { } else { discard; } } ", "discard");
	DOES("IF TRUE { DISCARD; }", "discard");
}

TEST(sieve_actions_happen_once)
{
	DOES("require \"fileinto\"; fileinto \"a\"; fileinto \"a\"; keep; keep;"
	     "fileinto \"INBOX\"; fileinto \"inbox\"; fileinto \"b\";",
	     "fileinto a, keep, fileinto b");
	DOES("redirect \"x@y.example\"; redirect \"X <x@y.example>\";",
	     "redirect x@y.example");
}

TEST(sieve_actions_are_bounded)
{
	SCOPED(buf_fini) struct buf script = BUF(1 << 16);

	DOES("redirect \"a@y.example\"; redirect \"b@y.example\"; redirect "
	     "\"c@y.example\";\nredirect \"d@y.example\"; redirect \"e@y.example\";",
	     "2! The mail would be redirected to more than 4 addresses.: keep");
	buf_add_c(&script, "require \"fileinto\";");
	for (unsigned i = 0; i < 32; i++)
		buf_printf(&script, "fileinto \"%u\";", i);
	buf_add_c(&script, "\nkeep;");
	buf_add_byte(&script, '\0');
	DOES(script.ptr, "2! The mail would go to more than 32 places.: keep");
}

TEST(sieve_scripts_are_checked)
{
	DOES("require \"nothing\";",
	     "1: The extension \"nothing\" is required, but there is none.");
	DOES("require;", "1: Behind \"require\" there has to be a string or a list of "
			 "strings, and nothing else.");
	DOES("keep;\nrequire \"fileinto\";",
	     "2: \"require\" has to stand at the beginning of the script, before all "
	     "other commands.");
	DOES("fileinto \"a\";", "1: \"fileinto\" is used, but the script does not begin "
				"with require \"fileinto\".");
	DOES("if header :value \"eq\" \"a\" \"b\" {}",
	     "1: \":value\" is used, but the script does not begin with require "
	     "\"relational\".");
	DOES("nothing;", "1: The command \"nothing\" is not known.");
	DOES("if nothing {}", "1: The test \"nothing\" is not known.");
	DOES("true;", "1: \"true\" is a test, not a command.");
	DOES("if keep {}", "1: \"keep\" is a command, not a test.");
	DOES("else {}", "1: \"else\" does not follow an \"if\" or \"elsif\".");
	DOES("if true {} keep; elsif true {}",
	     "1: \"elsif\" does not follow an \"if\" or \"elsif\".");
	DOES("if true {} else {} else {}",
	     "1: \"else\" does not follow an \"if\" or \"elsif\".");
	DOES("if {}", "1: \"if\" takes one test, without parentheses.");
	DOES("if (true) {}", "1: \"if\" takes one test, without parentheses.");
	DOES("if true;", "1: \"if\" needs a block.");
	DOES("keep {}", "1: \"keep\" does not take a block.");
	DOES("keep true;", "1: \"keep\" does not take a test.");
	DOES("if not (true) {}", "1: \"not\" takes one test, without parentheses.");
	DOES("if anyof true {}", "1: \"anyof\" takes a list of tests, in parentheses.");
	DOES("keep \"a\";",
	     "1: The command \"keep\" has too many arguments: 1, where it takes 0.");
	DOES("if header \"a\" {}",
	     "1: The test \"header\" has too few arguments: 1, where it needs 2.");
	DOES("if header \"a\" 5 {}", "1: Argument 2 of the test \"header\" has to be a "
				     "string or a list of strings.");
	DOES("redirect [\"a@b.example\", \"c@d.example\"];",
	     "1: Argument 1 of the command \"redirect\" has to be one string.");
	DOES("if size \"a\" {}", "1: The test \"size\" lacks a tag that it needs.");
	DOES("if size :over \"a\" {}",
	     "1: Argument 1 of the test \"size\" has to be a number.");
	DOES("if size :over :under 5 {}",
	     "1: The tags \":over\" and \":under\" cannot stand together.");
	DOES("if size :over :over 5 {}", "1: The tag \":over\" stands here twice.");
	DOES("if size 5 :over {}", "1: The test \"size\" lacks a tag that it needs.");
	DOES("if header \"a\" :is \"b\" {}", "1: The tag \":is\" has to stand before the "
					     "arguments that have none.");
	DOES("keep :is;", "1: The command \"keep\" does not take the tag \":is\".");
	DOES("keep :nothing;", "1: The tag \":nothing\" is not known.");
	DOES("if header :comparator \"a\" \"b\" {}",
	     "1: The comparator \"a\" is not known.");
	DOES("if header :comparator :is \"b\" {}",
	     "1: Behind the tag \":comparator\" there has to be one string without "
	     "variables.");
	DOES("if header :comparator \"i;ascii-numeric\" \"a\" \"b\" {}",
	     "1: \"i;ascii-numeric\" is used, but the script does not begin with "
	     "require \"comparator-i;ascii-numeric\".");
	WRONG("header :contains :comparator \"i;ascii-numeric\" \"a\" \"b\"",
	      "2: The comparator \"i;ascii-numeric\" cannot be used with \":contains\".");
	WRONG("header :value \"xx\" \"a\" \"b\"",
	      "2: Behind \":value\" there has to be \"gt\", \"ge\", \"lt\", \"le\", "
	      "\"eq\" or \"ne\".");
	DOES("redirect \"nobody\";",
	     "1: \"nobody\" is no address that mail can be sent to.");
	DOES("redirect \"a@b.example, c@d.example\";",
	     "1: \"a@b.example, c@d.example\" is no address that mail can be sent to.");
	DOES("require \"fileinto\"; fileinto \"\";",
	     "1: The mailbox of \"fileinto\" has no name.");
	DOES("if true {\n", "1: A block is not closed: \"}\" is missing.");
}

TEST(sieve_flaws_are_one_line_of_text)
{
	DOES("redirect \"a\r\n\x1b[31m\";",
	     "1: \"a\\x0d\\x0a\\x1b[31m\" is no address that mail can be sent to.");
	DOES("require \"\x7f\";",
	     "1: The extension \"\\x7f\" is required, but there is none.");
	DOES(EVERYTHING "redirect \"${hex: 0d}\";",
	     "2: \"\\x0d\" is no address that mail can be sent to.");
	DOES(EVERYTHING "set \"a\" \"\t\"; error \"${a}\";", "2! \\x09: keep");
}

TEST(sieve_redirects_to_one_address)
{
	static const char *const bad[] = {"",
					  "a",
					  "@b.example",
					  "a@",
					  "a b@c.example",
					  "<a@b.example",
					  "a@b.example>",
					  "a@b.example;",
					  "a@b.example, ",
					  "a@b. c d.example",
					  "<a@b.example> x",
					  "g: a@b.example;",
					  "<@c.example:a@b.example>",
					  "A <b <a@c.example>",
					  "<a@b.example>,<c@d.example>",
					  "<>",
					  "Postmaster"};
	SCOPED(buf_fini) struct buf script = BUF(1000), want = BUF(1000);

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		buf_reset(&script);
		buf_reset(&want);
		buf_printf(&script, "redirect \"%s\";", bad[i]);
		buf_add_byte(&script, '\0');
		buf_printf(&want, "1: \"%s\" is no address that mail can be sent to.",
			   bad[i]);
		buf_add_byte(&want, '\0');
		DOES(script.ptr, want.ptr);
	}
	buf_reset(&script);
	buf_printf(&script, "redirect \"a%600s@b.example\";", "");
	buf_add_byte(&script, '\0');
	DOES(script.ptr, "redirect a@b.example");
	DOES("redirect \" a@b.example \";", "redirect a@b.example");
	DOES("redirect \"<a@b.example>\";", "redirect a@b.example");
	DOES("redirect \"\\\"A, <B>\\\" < a@b.example > \";", "redirect a@b.example");
	DOES("redirect \"\\\"a<b\\\"@b.example\";", "redirect \"a<b\"@b.example");
	DOES("redirect \" A B<  a . c @ b . example  > \";", "redirect a.c@b.example");
	DOES("redirect \"\\\"a\\\"@b.example\";", "redirect a@b.example");
	DOES("redirect \"\\\"a b\\\"@c.example\";", "redirect \"a b\"@c.example");
}

TEST(sieve_header_looks_at_values)
{
	HOLDS("header :is \"subject\" \"Gr\xc3\xbc\xc3\x9f"
	      "e from afar\"");
	HOLDS("header \"SUBJECT\" \"gr\xc3\xbc\xc3\x9f"
	      "e FROM afar\"");
	FAILS("header :comparator \"i;octet\" \"subject\" \"gr\xc3\xbc\xc3\x9f"
	      "e from afar\"");
	HOLDS("header :contains [\"none\", \"subject\"] [\"none\", \"from\"]");
	FAILS("header :contains \"none\" \"\"");
	HOLDS("header :contains \"x-empty\" \"\"");
	HOLDS("header :is \"x-empty\" \"\"");
	FAILS("header :is \"subject:\" \"\"");
	HOLDS("header :matches \"subject\" \"*from*\"");
	HOLDS("header :value \"gt\" :comparator \"i;ascii-numeric\" \"x-count\" \"9\"");
	FAILS("header :value \"gt\" \"x-count\" \"9\"");
	HOLDS("header :count \"eq\" :comparator \"i;ascii-numeric\" \"received\" \"2\"");
	HOLDS("header :count \"eq\" \"none\" \"0\"");
	HOLDS("header :index 2 :contains \"received\" \"from c\"");
	HOLDS("header :index 1 :last :contains \"received\" \"from c\"");
	FAILS("header :index 1 :contains \"received\" \"from c\"");
	FAILS("header :index 3 :contains \"received\" \"\"");
	FAILS("header :index 3 :last :contains \"received\" \"\"");
	HOLDS("header :index 3 :contains [\"received\", \"x-empty\"] \"\"");
	WRONG("header :last \"a\" \"b\"",
	      "2: The tag \":last\" needs \":index\" beside it.");
	WRONG("header :index 0 \"a\" \"b\"",
	      "2: Fields are counted from 1: there is no \":index 0\".");
	HOLDS("exists [\"from\", \"TO\"]");
	FAILS("exists [\"from\", \"none\"]");
	HOLDS("size :over 100");
	FAILS("size :under 100");
}

/* The subject is "Gr\u00fc\u00dfe from afar". */
TEST(sieve_letters_beyond_ascii_may_have_no_case)
{
#define UNICODE ":comparator \"i;unicode-casemap\" "
	HOLDS("header " UNICODE "\"subject\" \"GR\xc3\x9c\xc3\x9f"
	      "E FROM AFAR\"");
	FAILS("header \"subject\" \"GR\xc3\x9c\xc3\x9f"
	      "E FROM AFAR\"");
	HOLDS("header :contains " UNICODE "\"subject\" \"R\xc3\x9c\"");
	HOLDS("header :contains " UNICODE "\"subject\" \"Ru\xcc\x88\"");
	HOLDS("header :matches " UNICODE "\"subject\" \"gr??e *\"");
	FAILS("header :matches \"subject\" \"gr??e *\"");
	HOLDS("header :value \"gt\" " UNICODE "\"subject\" \"GR\"");
	DOES(EVERYTHING "if header :matches " UNICODE
			"\"subject\" \"*R?*E *\" { fileinto "
			"\"${1}|${2}|${3}|${4}|${0}\"; }",
	     "fileinto G|\xc3\xbc|\xc3\x9f|from afar|Gr\xc3\xbc\xc3\x9f"
	     "e from afar");
	HOLDS("string :is " UNICODE "\"\xef\xbc\x8a\" \"*\""); /* a wide asterisk */
	FAILS("string :matches " UNICODE "\"ab\" \"\xef\xbc\x8a\"");
	HOLDS("string :matches " UNICODE "\"a*\xc4\xb1\" \"A\\\\*?\"");
	FAILS("string :matches " UNICODE "\"\" \"?\"");
	DOES("if header " UNICODE "\"subject\" \"a\" {}",
	     "1: \"i;unicode-casemap\" is used, but the script does not begin with "
	     "require "
	     "\"comparator-i;unicode-casemap\".");
}

TEST(sieve_address_looks_at_addresses)
{
	HOLDS("address \"from\" \"ann@example.org\"");
	FAILS("address :contains \"from\" \"example <\"");
	HOLDS("address :localpart \"to\" \"carl\"");
	HOLDS("address :domain \"to\" \"example.com\"");
	FAILS("address :comparator \"i;octet\" :domain \"to\" \"example.com\"");
	HOLDS("address :domain [\"from\", \"cc\"] \"example.net\"");
	FAILS("address :contains \"cc\" \"friends\"");
	HOLDS("address :user \"to\" \"bob\"");
	HOLDS("address :detail \"to\" \"lists\"");
	HOLDS("address :user \"from\" \"ann\"");
	FAILS("address :detail \"from\" \"\"");
	HOLDS("address :count \"eq\" [\"to\", \"cc\"] \"4\"");
	WRONG("address \"subject\" \"a\"",
	      "2: \"subject\" is no field that holds addresses; the test \"header\" "
	      "looks at any field.");
}

TEST(sieve_envelope_looks_at_paths)
{
	HOLDS("envelope \"from\" \"ann@bounces.example.org\"");
	HOLDS("envelope :domain \"to\" \"example.net\"");
	HOLDS("envelope :detail \"to\" \"lists\"");
	HOLDS("envelope :count \"eq\" [\"from\", \"to\"] \"2\"");
	FAILS("envelope :matches \"from\" \"bob*\"");
	WRONG("envelope \"auth\" \"a\"",
	      "2: The envelope has no part \"auth\", only \"from\" and \"to\".");
}

TEST(sieve_tests_are_combined)
{
	HOLDS("allof (true, true)");
	FAILS("allof (true, false)");
	HOLDS("anyof (false, true)");
	FAILS("anyof (false, false)");
	HOLDS("not false");
	HOLDS("not anyof (false, not true)");
}

TEST(sieve_variables_are_set_and_used)
{
	DOES(EVERYTHING "set \"a\" \"b\"; fileinto \"x${A}${none}y\";", "fileinto xby");
	DOES(EVERYTHING "if header :matches \"subject\" \"* from *\" "
			"{ fileinto \"${2}/${1}/${0}/${3}\"; }",
	     "fileinto afar/Gr\xc3\xbc\xc3\x9f"
	     "e/Gr\xc3\xbc\xc3\x9f"
	     "e from afar/");
	DOES(EVERYTHING "set :upperfirst :lower \"a\" \"juMBlEd lETteRS\"; "
			"fileinto \"${a}\";",
	     "fileinto Jumbled letters");
	DOES(EVERYTHING "set :length \"a\" \"\xc3\xa4\xc3\xa4\"; fileinto \"${a}\";",
	     "fileinto 2");
	DOES(EVERYTHING "set :quotewildcard \"a\" \"Rock*\"; fileinto \"${a}\";",
	     "fileinto Rock\\*");
	HOLDS("string :matches \" a pending b \" \"* pending *\"");
	HOLDS("string :count \"eq\" [\"\", \"a\", \"b\"] \"2\"");
	DOES(EVERYTHING "set :lower :upper \"a\" \"b\";",
	     "2: The tags \":lower\" and \":upper\" cannot stand together.");
	DOES(EVERYTHING "set \"1\" \"b\";",
	     "2: Argument 1 of \"set\" is no name of a variable.");
	DOES(EVERYTHING "set \"a.b\" \"b\";",
	     "2: Argument 1 of \"set\" is no name of a variable.");
	DOES(EVERYTHING "fileinto \"${a.b}\";",
	     "2: No extension has variables like \"${a.b}\".");
	DOES(EVERYTHING "fileinto \"${33}\";", "2: The number of a match is 32 at most.");
	DOES("require \"fileinto\"; fileinto \"${a}\";", "fileinto ${a}");
	DOES(EVERYTHING "\nfileinto \"${a}\";",
	     "3! The mailbox of \"fileinto\" has no name.: keep");
	DOES(EVERYTHING "set \"a\" \"nobody\"; redirect \"${a}\";",
	     "2! \"nobody\" is no address that mail can be sent to.: keep");
}

TEST(sieve_flags_go_with_the_mail)
{
	DOES(EVERYTHING "setflag \"\\\\Seen $a\"; addflag [\"$b $A\", \"\"];",
	     "keep (\\Seen $a $b)");
	DOES(EVERYTHING "addflag \"a b c\"; removeflag \"B\"; fileinto \"x\";",
	     "fileinto x (a c)");
	DOES(EVERYTHING "setflag \"v\" \"a\"; addflag \"v\" \"b\"; "
			"fileinto :flags \"${v}\" \"x\"; keep;",
	     "fileinto x (a b), keep");
	DOES(EVERYTHING "fileinto :flags \"a\" \"x\"; fileinto :flags \"b\" \"x\";",
	     "fileinto x (b)");
	DOES(EVERYTHING "addflag \"\\\\Recent \\\\None (a \xc3\xa4 good\";",
	     "keep (good)");
	DOES(EVERYTHING "setflag \"A B\"; if hasflag :is \"b A\" { discard; }",
	     "discard");
	DOES(EVERYTHING "setflag \"v\" \"Junk gnus-forward\";"
			"if allof (hasflag :contains \"v\" [\"label\", \"forward\"], "
			"not hasflag :contains \"v\" \"label\", not hasflag \"Junk\", "
			"hasflag :count \"eq\" \"v\" \"2\") { discard; }",
	     "discard");
	DOES("require \"imap4flags\"; setflag \"a\" \"b\";",
	     "1: \"the name of a variable\" is used, but the script does not begin with "
	     "require \"variables\".");
	DOES("keep :flags \"a\";", "1: \":flags\" is used, but the script does not begin "
				   "with require \"imap4flags\".");
}

TEST(sieve_body_is_looked_at)
{
	HOLDS("body :contains \"sch\xc3\xb6ne gr\xc3\xbc\xc3\x9f"
	      "e\"");
	HOLDS("body :raw :contains \"=DFe\"");
	FAILS("body :contains \"=DFe\"");
	HOLDS("body :content \"text/plain\" :contains \"ann\"");
	HOLDS("body :content \"\" :contains \"ann\"");
	FAILS("body :content [\"text/\", \"/plain\", \"text/html\", \"image\"] :contains "
	      "\"\"");
}

TEST(sieve_dates_are_compared)
{
	HOLDS("date :zone \"+0000\" \"date\" \"iso8601\" \"2026-01-04T10:34:56Z\"");
	HOLDS("date :originalzone \"date\" \"iso8601\" \"2026-01-04T12:34:56+02:00\"");
	HOLDS("date \"date\" \"time\" \"11:34:56\"");
	HOLDS("date \"date\" \"zone\" \"+0100\"");
	HOLDS("date \"date\" \"weekday\" \"0\"");
	HOLDS("date \"date\" \"julian\" \"61044\"");
	HOLDS("date :zone \"-0500\" \"received\" \"hour\" \"23\"");
	HOLDS("date :index 2 :zone \"+0000\" \"received\" \"hour\" \"10\"");
	HOLDS("date :originalzone \"date\" \"std11\" \"Sun, 4 Jan 2026 12:34:56 +0200\"");
	FAILS("date \"subject\" \"year\" \"2026\"");
	FAILS("date \"none\" \"year\" \"2026\"");
	HOLDS("date :count \"eq\" \"none\" \"year\" \"0\"");
	HOLDS("currentdate :value \"ge\" \"date\" \"2026-01-06\"");
	HOLDS("currentdate \"time\" \"10:30:00\"");
	HOLDS("allof (currentdate \"year\" \"2026\", currentdate \"month\" \"01\", "
	      "currentdate \"day\" \"06\", currentdate \"minute\" \"30\", currentdate "
	      "\"second\" \"00\", currentdate :zone \"-0330\" \"zone\" \"-0330\")");
	WRONG("date \"date\" \"century\" \"21\"", "2: A date has no part \"century\".");
	WRONG("date :zone \"UTC\" \"date\" \"year\" \"\"",
	      "2: \"UTC\" is no time zone; those look like \"+0100\".");
	WRONG("currentdate :originalzone \"year\" \"\"",
	      "2: The test \"currentdate\" does not take the tag \":originalzone\".");
}

TEST(sieve_knows_its_surroundings)
{
	HOLDS("environment \"domain\" \"example.net\"");
	HOLDS("environment \"host\" \"mx.example.net\"");
	HOLDS("environment \"remote-ip\" \"[192.0.2.1]\"");
	HOLDS("environment \"location\" \"MDA\"");
	HOLDS("environment :contains \"remote-host\" \"\"");
	HOLDS("environment :count \"eq\" \"remote-host\" \"0\"");
	FAILS("environment :contains \"none\" \"\"");
}

TEST(sieve_asks_what_is_there)
{
#define IHAVE "require [\"ihave\", \"fileinto\"];\n"
	DOES(IHAVE "if ihave \"none\" { none :x \"y\"; } else { discard; }", "discard");
	DOES(IHAVE "if ihave [\"copy\", \"none\"] { discard; }", "keep");
	DOES(IHAVE "if ihave [\"copy\"] { fileinto :copy \"a\"; }", "fileinto a, keep");
	DOES(IHAVE "if ihave \"envelope\" { } if envelope \"to\" \"none\" { } else { "
		   "discard; }",
	     "discard");
	DOES(IHAVE "if allof (ihave \"body\", body :contains \"Ann\") { discard; }",
	     "discard");
	DOES(IHAVE "fileinto :copy \"a\";",
	     "2! \"fileinto\" uses an extension that was neither required nor found by "
	     "\"ihave\".: keep");
	DOES(IHAVE "if not ihave \"variables\" { discard; }", "discard");
	DOES(IHAVE "discard;\nnone;", "3! The command \"none\" is not known.: keep");
	DOES(IHAVE "if anyof (true, none \"a\") { discard; }", "discard");
	DOES(IHAVE "if none \"a\" { discard; }", "2! The test \"none\" is not known.: "
						 "keep");
	DOES(IHAVE "keep :none;", "2! The tag \":none\" is not known.: keep");
	DOES(IHAVE "if header :comparator \"none\" \"a\" \"b\" { }",
	     "2! The comparator \"none\" is not known.: keep");
	DOES(IHAVE "discard; error \"because\";", "2! because: keep");
	DOES(IHAVE "if ihave \"copy\" { fileinto; }",
	     "2: The command \"fileinto\" has too few arguments: 0, where it needs 1.");
	DOES("error \"a\";", "1: \"error\" is used, but the script does not begin with "
			     "require \"ihave\".");
}

TEST(sieve_mail_may_have_no_sender_and_no_body)
{
	struct sieve_script *script;
	struct sieve_outcome outcome;
	struct mail_header header;
	struct sieve_flaw flaw;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	struct sieve_mail mail = mail_of(&header, &arena, STR("From: a\r\n"));

	mail.from = STR("");
	CHECK(sieve_compile(STR("require [\"envelope\", \"body\"]; if allof (envelope "
				":domain \"from\" \"\", not body :contains \"\", address "
				"\"from\" \"a\", not address :localpart \"from\" \"a\") "
				"{ discard; }"),
			    &arena, &script, &flaw) == OK);
	sieve_run(script, &mail, &arena, &outcome);
	CHECK(outcome.count == 1 && outcome.actions[0].kind == SIEVE_DISCARD);
	arena_fini(&arena);
}

/* A pattern that tries all it can with each octet of a long subject. */
TEST(sieve_runs_are_bounded)
{
	SCOPED(buf_fini) struct buf text = BUF(1 << 22), script = BUF(1 << 20);

	buf_add_c(&text, "Subject: ");
	for (int i = 0; i < 200000; i++)
		buf_add_byte(&text, 'a');
	buf_add_c(&text, "\r\n\r\n");
	buf_add_c(&script, "if header :matches \"subject\" \"*");
	for (int i = 0; i < 5000; i++)
		buf_add_byte(&script, 'a');
	buf_add_c(&script, "b*\" { discard; }");
	buf_add_byte(&script, '\0');
	run_over(__FILE__, __LINE__, str_first(buf_str(&script), script.len - 1),
		 buf_str(&text),
		 "1! The script has too much to do with this mail, and was stopped.: "
		 "keep");
}

static void check_fits(const char *begin, const char *again, size_t times,
		       const char *end)
{
	SCOPED(buf_fini) struct buf text = BUF(SIEVE_SCRIPT_BYTES_MAX);
	struct sieve_script *script;
	struct sieve_flaw flaw = {0};
	struct arena arena;

	buf_add_c(&text, begin);
	for (size_t i = 0; i < times; i++)
		buf_add_c(&text, again);
	buf_add_c(&text, end);
	CHECK(buf_ok(&text));
	arena_init(&arena, SIEVE_SCRIPT_ARENA_BYTES);
	CHECK(sieve_compile(buf_str(&text), &arena, &script, &flaw) == OK);
	CHECK_STR(flaw.sentence, STR(""));
	arena_fini(&arena);
}

TEST(sieve_scripts_fit_into_the_room_they_are_promised)
{
	check_fits("", "if exists\"a\"{}", 5000, "");
	check_fits("", "if exists[\"a\",\"\\b\",\"c\"]{}", 5000, "");
	check_fits("require \"variables\"; set \"a\" \"", "${a}", 65000, "\";");
	check_fits("require \"variables\"; if exists [\"\"", ",\"${a}\"", 29000, "]{}");
	check_fits("require \"variables\"; set \"a\" text:\n", "..\n", 80000, ".\n;");
}

TEST(sieve_extensions_are_listed)
{
	SCOPED(buf_fini) struct buf out = BUF(4096);

	sieve_extensions_add(&out);
	CHECK(str_starts(buf_str(&out), STR("fileinto envelope ")));
	CHECK(str_find(buf_str(&out), STR("vnd.")) == out.len);
}
