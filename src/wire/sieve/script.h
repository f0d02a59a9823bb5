/* A Sieve script as a tree of commands and tests, whatever they are called: RFC 5228
 * §8.2.  What they mean is for others to say (sieve/sieve.h). */
#pragma once

#include "wire/sieve/token.h"

enum {
	SIEVE_SCRIPT_BYTES_MAX = 256 * 1024,
	SIEVE_NODES_MAX = 10000,   /* commands and tests */
	SIEVE_STRINGS_MAX = 30000, /* also numbers and tags */
	SIEVE_DEPTH_MAX = 32,      /* blocks in blocks, and tests in tests; RFC 5228
				      §2.10.7 wants 15 of each */
};

struct sieve_string {
	struct str text;
	struct sieve_string *next;
};

enum sieve_argument_kind { SIEVE_IS_STRINGS, SIEVE_IS_NUMBER, SIEVE_IS_TAG };

struct sieve_argument {
	enum sieve_argument_kind kind;
	unsigned line;
	struct str tag; /* as written, without its colon */
	uint64_t number;
	struct sieve_string *strings; /* never none */
	size_t string_count;
	struct sieve_argument *next;
};

/* A command or a test. */
struct sieve_node {
	struct str name; /* as written; compare without case */
	unsigned line;
	struct sieve_argument *arguments;
	struct sieve_node *tests; /* its one test, or those in parentheses */
	size_t test_count;
	bool has_test_list; /* they are in parentheses */
	bool has_block;     /* commands only */
	struct sieve_node *block;
	struct sieve_node *next; /* in the block, or in the list of tests */
};

/* Reads a script.  *commands are its commands, NULL if it has none; they borrow script
 * and the arena.  False, and *flaw says why, if it breaks the grammar or a bound. */
[[nodiscard]] bool sieve_script_parse(struct str script, struct arena *arena,
				      struct sieve_node **commands,
				      struct sieve_flaw *flaw);
