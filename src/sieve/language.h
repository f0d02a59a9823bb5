/* The words that scripts may use: extensions, tags, commands and tests, and what each
 * takes; and the calls that a checked script consists of. */
#pragma once

#include "wire/sieve/script.h"
#include "wire/sieve/variable.h"

struct sieve_run;
struct compiler;

enum sieve_extension {
	SIEVE_EXT_BASE = 0,
	SIEVE_EXT_FILEINTO = 1 << 0,
	SIEVE_EXT_ENVELOPE = 1 << 1,
	SIEVE_EXT_ENCODED = 1 << 2,
	SIEVE_EXT_COPY = 1 << 3,
	SIEVE_EXT_OCTET = 1 << 4, /* comparators that need not be required */
	SIEVE_EXT_ASCII = 1 << 5,
	SIEVE_EXT_NUMERIC = 1 << 6,
	SIEVE_EXT_VARIABLES = 1 << 7,
	SIEVE_EXT_RELATIONAL = 1 << 8,
	SIEVE_EXT_SUBADDRESS = 1 << 9,
	SIEVE_EXT_FLAGS = 1 << 10,
	SIEVE_EXT_BODY = 1 << 11,
	SIEVE_EXT_DATE = 1 << 12,
	SIEVE_EXT_INDEX = 1 << 13,
	SIEVE_EXT_ENVIRONMENT = 1 << 14,
	SIEVE_EXT_IHAVE = 1 << 15,
	SIEVE_EXT_UNICODE = 1 << 16,
	SIEVE_EXT_DIALECT = 1 << 30, /* of tests of scripts */
};

struct sieve_extension_name {
	const char *name;
	enum sieve_extension bit;
};

/* Of the tags of one group a call may have one. */
enum sieve_group {
	SIEVE_GROUP_MATCH,
	SIEVE_GROUP_COMPARATOR,
	SIEVE_GROUP_PART,
	SIEVE_GROUP_LIMIT,
	SIEVE_GROUP_COPY,
	SIEVE_GROUP_FLAGS,
	SIEVE_GROUP_CASE,
	SIEVE_GROUP_FIRST,
	SIEVE_GROUP_QUOTE,
	SIEVE_GROUP_LENGTH,
	SIEVE_GROUP_BODY,
	SIEVE_GROUP_ZONE,
	SIEVE_GROUP_INDEX,
	SIEVE_GROUP_LAST,
	SIEVE_GROUP_PLACE, /* these two of a dialect */
	SIEVE_GROUP_APPEND,
	SIEVE_GROUPS,
};
#define SIEVE_IN(group) (1u << (group))

enum sieve_tag_id {
	SIEVE_TAG_IS,
	SIEVE_TAG_CONTAINS,
	SIEVE_TAG_MATCHES,
	SIEVE_TAG_VALUE,
	SIEVE_TAG_COUNT,
	SIEVE_TAG_COMPARATOR,
	SIEVE_TAG_ALL,
	SIEVE_TAG_LOCALPART,
	SIEVE_TAG_DOMAIN,
	SIEVE_TAG_USER,
	SIEVE_TAG_DETAIL,
	SIEVE_TAG_OVER,
	SIEVE_TAG_UNDER,
	SIEVE_TAG_COPY,
	SIEVE_TAG_FLAGS,
	SIEVE_TAG_LOWER,
	SIEVE_TAG_UPPER,
	SIEVE_TAG_LOWERFIRST,
	SIEVE_TAG_UPPERFIRST,
	SIEVE_TAG_QUOTEWILDCARD,
	SIEVE_TAG_LENGTH,
	SIEVE_TAG_RAW,
	SIEVE_TAG_CONTENT,
	SIEVE_TAG_TEXT,
	SIEVE_TAG_ZONE,
	SIEVE_TAG_ORIGINALZONE,
	SIEVE_TAG_INDEX,
	SIEVE_TAG_LAST,
	SIEVE_TAG_FOLDER,
	SIEVE_TAG_SMTP,
	SIEVE_TAG_APPEND,
};

/* What an argument has to be. */
enum sieve_type {
	SIEVE_NO_VALUE = 0,
	SIEVE_STRING_VALUE = 'S', /* one string, with or without brackets */
	SIEVE_LIST_VALUE = 'L',
	SIEVE_NUMBER_VALUE = 'N',
	SIEVE_CONSTANT_VALUE = 'C', /* a string without variables */
};

struct sieve_tag {
	const char *name;
	enum sieve_tag_id id;
	enum sieve_group group;
	enum sieve_extension needs;
	enum sieve_type value;
};

enum sieve_tests_wanted { SIEVE_NO_TEST, SIEVE_ONE_TEST, SIEVE_TEST_LIST };
enum sieve_place {
	SIEVE_TEST,
	SIEVE_COMMAND,
	SIEVE_BLOCK, /* a command with a block */
};

struct sieve_call;

/* A command or a test. */
struct sieve_word {
	const char *name;
	enum sieve_place place;
	enum sieve_extension needs;
	const char *arguments; /* enum sieve_type of each */
	unsigned optional;     /* so many of the first may be missing */
	unsigned groups;       /* tags it takes, SIEVE_IN() */
	unsigned groups_needed;
	enum sieve_tests_wanted tests;
	/* More to be checked; NULL if there is nothing. */
	bool (*check)(struct compiler *compiler, struct sieve_call *call);
	void (*run)(struct sieve_run *run, const struct sieve_call *call); /* commands */
	bool (*holds)(struct sieve_run *run, const struct sieve_call *call); /* tests */
};

/* A string of the script, which may have references to variables. */
struct sieve_text {
	struct str plain; /* if it has none */
	struct sieve_ref *refs;
};

struct sieve_ref {
	struct sieve_piece piece;
	unsigned slot; /* of a variable */
	struct sieve_ref *next;
};

enum { SIEVE_ARGUMENTS_MAX = 3 };

struct sieve_value {
	struct sieve_text *texts;
	size_t count;
	uint64_t number;
};

struct sieve_given {
	const struct sieve_tag *tag; /* NULL: not given */
	struct sieve_value value;
};

enum sieve_comparator {
	SIEVE_ASCII_CASEMAP, /* the default, RFC 5228 §2.7.3 */
	SIEVE_OCTET,
	SIEVE_ASCII_NUMERIC,   /* RFC 4790 §9.1 */
	SIEVE_UNICODE_CASEMAP, /* RFC 5051 */
};

enum sieve_relation { SIEVE_GT, SIEVE_GE, SIEVE_LT, SIEVE_LE, SIEVE_EQ, SIEVE_NE };

struct sieve_call {
	const struct sieve_word *word;
	unsigned line;
	unsigned needs; /* extensions that "ihave" has to find first, RFC 5463 §4 */
	struct sieve_given given[SIEVE_GROUPS];
	struct sieve_value arguments[SIEVE_ARGUMENTS_MAX];
	size_t argument_count; /* less than the word has if optional ones are missing:
				  those are empty, the others in their places */
	enum sieve_comparator comparator;
	enum sieve_relation relation;
	unsigned slot; /* of the variable that it sets */
	struct sieve_call *tests, *block, *next;
	/* Of an "if": what follows if it does not hold, an "elsif" or "else". */
	struct sieve_call *otherwise;
};

struct sieve_script {
	struct sieve_call *commands;
	unsigned extensions; /* required */
	unsigned slot_count; /* variables */
};

/* More words and variables, for tests of scripts. */
struct sieve_dialect {
	const char *extension;
	const struct sieve_word *words;
	size_t word_count;
};

/* Any of these, or NULL; names are compared without case. */
const struct sieve_extension_name *sieve_extension_find(struct str name);
const struct sieve_tag *sieve_tag_find(struct str name);
const struct sieve_word *sieve_word_find(struct str name, bool is_test);
/* Extensions that a script uses without requiring them are named by it; "" for none. */
const char *sieve_extension_text(enum sieve_extension bit);

/* RFC 5463 §4: "ihave" may not turn these on, which change how strings are read. */
#define SIEVE_EXT_OF_STRINGS ((unsigned)(SIEVE_EXT_ENCODED | SIEVE_EXT_VARIABLES))

/* For checks: the script is wrong; always false. */
bool sieve_wrong(struct compiler *compiler, unsigned line, const char *format, ...)
	PRINTF_LIKE(3, 4);
/* The slot of a variable, which comes into being; false, and said, at their bound. */
bool sieve_slot(struct compiler *compiler, struct str name, unsigned line,
		unsigned *slot);
