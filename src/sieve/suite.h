/* Tests of scripts that are scripts themselves: the language that Dovecot's Pigeonhole
 * has for its own tests ("vnd.dovecot.testsuite"), without what concerns its
 * configuration and its compiled scripts.  A file of such tests sets a mail and an
 * envelope, compiles and runs scripts over it, or uses tests and actions itself, and says
 * what has to come of it.  Mailboxes and sent mails are made up and forgotten.
 *
 *   test "NAME" { ... }            a case: passes if nothing in it fails
 *   test_fail "WHY";               it fails
 *   test_set "message" TEXT;       the mail; also "envelope.from", "envelope.to"
 *   test_script_compile "FILE"     true if that script is right
 *   test_script_run [:append]      true if the last one compiled runs without an error
 *   test_error [:index N] KEYS     compares the errors of the last of these two
 *   test_result_action [:index N] KEYS     compares the actions: "keep", "store",
 *                                  "redirect", "discard"
 *   test_result_execute            carries them out; false if one cannot be
 *   test_result_reset;             forgets them
 *   test_mailbox_create "NAME";    makes a mailbox
 *   test_message :folder "NAME" N; makes a mail in it the one that is looked at, with its
 *   test_message :smtp N;          flags, or one that was sent, with its envelope */
#pragma once

#include "sieve/sieve.h"

struct sieve_suite_case {
	struct str name;
	bool has_passed;
	unsigned line;  /* where it failed, or begins */
	struct str why; /* it failed */
	struct sieve_suite_case *next;
};

struct sieve_suite_result {
	struct sieve_suite_case *cases;
	size_t passed, failed;
	struct sieve_flaw flaw; /* what is wrong with the file of tests itself */
};

struct sieve_suite_world {
	int64_t now_s;
	int zone_minutes;
	/* The text of the script that "test_script_compile" names; false if there is
	 * none.
	 */
	bool (*read)(void *context, struct str name, struct arena *arena,
		     struct str *text);
	void *context;
};

/* Runs a file of tests.  ERR_SYNTAX, with result->flaw, if it is no such file.  All of
 * the result is in the arena or in text. */
[[nodiscard]] err_t sieve_suite_run(struct str text,
				    const struct sieve_suite_world *world,
				    struct arena *arena,
				    struct sieve_suite_result *result);
