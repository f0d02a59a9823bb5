#include "base/buf.h"
#include "sieve/actions.h"
#include "sieve/body.h"
#include "sieve/control.h"
#include "sieve/dates.h"
#include "sieve/fields.h"
#include "sieve/flags.h"
#include "sieve/language.h"
#include "sieve/mail_tests.h"
#include "sieve/places.h"
#include "sieve/sieve.h"
#include "sieve/variables.h"

static const struct sieve_extension_name extensions[] = {
	{"fileinto", SIEVE_EXT_FILEINTO},
	{"envelope", SIEVE_EXT_ENVELOPE},
	{"encoded-character", SIEVE_EXT_ENCODED},
	{"comparator-i;octet", SIEVE_EXT_OCTET},
	{"comparator-i;ascii-casemap", SIEVE_EXT_ASCII},
	{"comparator-i;ascii-numeric", SIEVE_EXT_NUMERIC},
	{"comparator-i;unicode-casemap", SIEVE_EXT_UNICODE},
	{"copy", SIEVE_EXT_COPY},
	{"variables", SIEVE_EXT_VARIABLES},
	{"relational", SIEVE_EXT_RELATIONAL},
	{"subaddress", SIEVE_EXT_SUBADDRESS},
	{"imap4flags", SIEVE_EXT_FLAGS},
	{"body", SIEVE_EXT_BODY},
	{"date", SIEVE_EXT_DATE},
	{"index", SIEVE_EXT_INDEX},
	{"environment", SIEVE_EXT_ENVIRONMENT},
	{"ihave", SIEVE_EXT_IHAVE},
};

static const struct sieve_tag tags[] = {
	{"is", SIEVE_TAG_IS, SIEVE_GROUP_MATCH, 0, 0},
	{"contains", SIEVE_TAG_CONTAINS, SIEVE_GROUP_MATCH, 0, 0},
	{"matches", SIEVE_TAG_MATCHES, SIEVE_GROUP_MATCH, 0, 0},
	{"value", SIEVE_TAG_VALUE, SIEVE_GROUP_MATCH, SIEVE_EXT_RELATIONAL,
	 SIEVE_CONSTANT_VALUE},
	{"count", SIEVE_TAG_COUNT, SIEVE_GROUP_MATCH, SIEVE_EXT_RELATIONAL,
	 SIEVE_CONSTANT_VALUE},
	{"comparator", SIEVE_TAG_COMPARATOR, SIEVE_GROUP_COMPARATOR, 0,
	 SIEVE_CONSTANT_VALUE},
	{"all", SIEVE_TAG_ALL, SIEVE_GROUP_PART, 0, 0},
	{"localpart", SIEVE_TAG_LOCALPART, SIEVE_GROUP_PART, 0, 0},
	{"domain", SIEVE_TAG_DOMAIN, SIEVE_GROUP_PART, 0, 0},
	{"user", SIEVE_TAG_USER, SIEVE_GROUP_PART, SIEVE_EXT_SUBADDRESS, 0},
	{"detail", SIEVE_TAG_DETAIL, SIEVE_GROUP_PART, SIEVE_EXT_SUBADDRESS, 0},
	{"over", SIEVE_TAG_OVER, SIEVE_GROUP_LIMIT, 0, 0},
	{"under", SIEVE_TAG_UNDER, SIEVE_GROUP_LIMIT, 0, 0},
	{"copy", SIEVE_TAG_COPY, SIEVE_GROUP_COPY, SIEVE_EXT_COPY, 0},
	{"flags", SIEVE_TAG_FLAGS, SIEVE_GROUP_FLAGS, SIEVE_EXT_FLAGS, SIEVE_LIST_VALUE},
	{"lower", SIEVE_TAG_LOWER, SIEVE_GROUP_CASE, SIEVE_EXT_VARIABLES, 0},
	{"upper", SIEVE_TAG_UPPER, SIEVE_GROUP_CASE, SIEVE_EXT_VARIABLES, 0},
	{"lowerfirst", SIEVE_TAG_LOWERFIRST, SIEVE_GROUP_FIRST, SIEVE_EXT_VARIABLES, 0},
	{"upperfirst", SIEVE_TAG_UPPERFIRST, SIEVE_GROUP_FIRST, SIEVE_EXT_VARIABLES, 0},
	{"quotewildcard", SIEVE_TAG_QUOTEWILDCARD, SIEVE_GROUP_QUOTE, SIEVE_EXT_VARIABLES,
	 0},
	{"length", SIEVE_TAG_LENGTH, SIEVE_GROUP_LENGTH, SIEVE_EXT_VARIABLES, 0},
	{"raw", SIEVE_TAG_RAW, SIEVE_GROUP_BODY, SIEVE_EXT_BODY, 0},
	{"content", SIEVE_TAG_CONTENT, SIEVE_GROUP_BODY, SIEVE_EXT_BODY,
	 SIEVE_LIST_VALUE},
	{"text", SIEVE_TAG_TEXT, SIEVE_GROUP_BODY, SIEVE_EXT_BODY, 0},
	{"zone", SIEVE_TAG_ZONE, SIEVE_GROUP_ZONE, SIEVE_EXT_DATE, SIEVE_STRING_VALUE},
	{"originalzone", SIEVE_TAG_ORIGINALZONE, SIEVE_GROUP_ZONE, SIEVE_EXT_DATE, 0},
	{"index", SIEVE_TAG_INDEX, SIEVE_GROUP_INDEX, SIEVE_EXT_INDEX,
	 SIEVE_NUMBER_VALUE},
	{"last", SIEVE_TAG_LAST, SIEVE_GROUP_LAST, SIEVE_EXT_INDEX, 0},
	{"folder", SIEVE_TAG_FOLDER, SIEVE_GROUP_PLACE, SIEVE_EXT_DIALECT,
	 SIEVE_STRING_VALUE},
	{"smtp", SIEVE_TAG_SMTP, SIEVE_GROUP_PLACE, SIEVE_EXT_DIALECT, 0},
	{"append", SIEVE_TAG_APPEND, SIEVE_GROUP_APPEND, SIEVE_EXT_DIALECT, 0},
};

#define MATCH (SIEVE_IN(SIEVE_GROUP_MATCH) | SIEVE_IN(SIEVE_GROUP_COMPARATOR))
#define INDEX (SIEVE_IN(SIEVE_GROUP_INDEX) | SIEVE_IN(SIEVE_GROUP_LAST))

static const struct sieve_word words[] = {
	/* RFC 5228 §3; "require" is no call, since it does its work beforehand */
	{.name = "if",
	 .place = SIEVE_BLOCK,
	 .arguments = "",
	 .tests = SIEVE_ONE_TEST,
	 .run = control_if},
	{.name = "elsif",
	 .place = SIEVE_BLOCK,
	 .arguments = "",
	 .tests = SIEVE_ONE_TEST,
	 .run = control_if},
	{.name = "else", .place = SIEVE_BLOCK, .arguments = "", .run = control_if},
	{.name = "stop", .place = SIEVE_COMMAND, .arguments = "", .run = control_stop},
	/* RFC 5228 §4 */
	{.name = "keep",
	 .place = SIEVE_COMMAND,
	 .arguments = "",
	 .groups = SIEVE_IN(SIEVE_GROUP_FLAGS),
	 .run = action_keep},
	{.name = "fileinto",
	 .place = SIEVE_COMMAND,
	 .needs = SIEVE_EXT_FILEINTO,
	 .arguments = "S",
	 .groups = SIEVE_IN(SIEVE_GROUP_COPY) | SIEVE_IN(SIEVE_GROUP_FLAGS),
	 .check = check_fileinto,
	 .run = action_fileinto},
	{.name = "redirect",
	 .place = SIEVE_COMMAND,
	 .arguments = "S",
	 .groups = SIEVE_IN(SIEVE_GROUP_COPY),
	 .check = check_redirect,
	 .run = action_redirect},
	{.name = "discard",
	 .place = SIEVE_COMMAND,
	 .arguments = "",
	 .run = action_discard},
	/* RFC 5228 §5 */
	{.name = "address",
	 .place = SIEVE_TEST,
	 .arguments = "LL",
	 .groups = MATCH | INDEX | SIEVE_IN(SIEVE_GROUP_PART),
	 .check = check_address,
	 .holds = test_address},
	{.name = "allof",
	 .place = SIEVE_TEST,
	 .arguments = "",
	 .tests = SIEVE_TEST_LIST,
	 .holds = test_allof},
	{.name = "anyof",
	 .place = SIEVE_TEST,
	 .arguments = "",
	 .tests = SIEVE_TEST_LIST,
	 .holds = test_anyof},
	{.name = "envelope",
	 .place = SIEVE_TEST,
	 .needs = SIEVE_EXT_ENVELOPE,
	 .arguments = "LL",
	 .groups = MATCH | SIEVE_IN(SIEVE_GROUP_PART),
	 .check = check_envelope,
	 .holds = test_envelope},
	{.name = "exists", .place = SIEVE_TEST, .arguments = "L", .holds = test_exists},
	{.name = "false", .place = SIEVE_TEST, .arguments = "", .holds = test_false},
	{.name = "header",
	 .place = SIEVE_TEST,
	 .arguments = "LL",
	 .groups = MATCH | INDEX,
	 .check = check_index,
	 .holds = test_header},
	{.name = "not",
	 .place = SIEVE_TEST,
	 .arguments = "",
	 .tests = SIEVE_ONE_TEST,
	 .holds = test_not},
	{.name = "size",
	 .place = SIEVE_TEST,
	 .arguments = "N",
	 .groups = SIEVE_IN(SIEVE_GROUP_LIMIT),
	 .groups_needed = SIEVE_IN(SIEVE_GROUP_LIMIT),
	 .holds = test_size},
	{.name = "true", .place = SIEVE_TEST, .arguments = "", .holds = test_true},
	/* RFC 5229 */
	{.name = "set",
	 .place = SIEVE_COMMAND,
	 .needs = SIEVE_EXT_VARIABLES,
	 .arguments = "CS",
	 .groups = SIEVE_IN(SIEVE_GROUP_CASE) | SIEVE_IN(SIEVE_GROUP_FIRST) |
		   SIEVE_IN(SIEVE_GROUP_QUOTE) | SIEVE_IN(SIEVE_GROUP_LENGTH),
	 .check = check_set,
	 .run = action_set},
	{.name = "string",
	 .place = SIEVE_TEST,
	 .needs = SIEVE_EXT_VARIABLES,
	 .arguments = "LL",
	 .groups = MATCH,
	 .holds = test_string},
	/* RFC 5232 */
	{.name = "setflag",
	 .place = SIEVE_COMMAND,
	 .needs = SIEVE_EXT_FLAGS,
	 .arguments = "SL",
	 .optional = 1,
	 .check = check_flag_action,
	 .run = action_setflag},
	{.name = "addflag",
	 .place = SIEVE_COMMAND,
	 .needs = SIEVE_EXT_FLAGS,
	 .arguments = "SL",
	 .optional = 1,
	 .check = check_flag_action,
	 .run = action_addflag},
	{.name = "removeflag",
	 .place = SIEVE_COMMAND,
	 .needs = SIEVE_EXT_FLAGS,
	 .arguments = "SL",
	 .optional = 1,
	 .check = check_flag_action,
	 .run = action_removeflag},
	{.name = "hasflag",
	 .place = SIEVE_TEST,
	 .needs = SIEVE_EXT_FLAGS,
	 .arguments = "LL",
	 .optional = 1,
	 .groups = MATCH,
	 .check = check_hasflag,
	 .holds = test_hasflag},
	/* RFC 5173 */
	{.name = "body",
	 .place = SIEVE_TEST,
	 .needs = SIEVE_EXT_BODY,
	 .arguments = "L",
	 .groups = MATCH | SIEVE_IN(SIEVE_GROUP_BODY),
	 .holds = test_body},
	/* RFC 5260 */
	{.name = "date",
	 .place = SIEVE_TEST,
	 .needs = SIEVE_EXT_DATE,
	 .arguments = "SSL",
	 .groups = MATCH | INDEX | SIEVE_IN(SIEVE_GROUP_ZONE),
	 .check = check_date,
	 .holds = test_date},
	{.name = "currentdate",
	 .place = SIEVE_TEST,
	 .needs = SIEVE_EXT_DATE,
	 .arguments = "SL",
	 .groups = MATCH | SIEVE_IN(SIEVE_GROUP_ZONE),
	 .check = check_currentdate,
	 .holds = test_currentdate},
	/* RFC 5183 */
	{.name = "environment",
	 .place = SIEVE_TEST,
	 .needs = SIEVE_EXT_ENVIRONMENT,
	 .arguments = "SL",
	 .groups = MATCH,
	 .holds = test_environment},
	/* RFC 5463 */
	{.name = "ihave",
	 .place = SIEVE_TEST,
	 .needs = SIEVE_EXT_IHAVE,
	 .arguments = "L",
	 .check = check_ihave,
	 .holds = test_ihave},
	{.name = "error",
	 .place = SIEVE_COMMAND,
	 .needs = SIEVE_EXT_IHAVE,
	 .arguments = "S",
	 .run = control_error},
};

const struct sieve_extension_name *sieve_extension_find(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(extensions); i++) {
		if (str_same(str_c(extensions[i].name), name))
			return &extensions[i];
	}
	return NULL;
}

const char *sieve_extension_text(enum sieve_extension bit)
{
	for (size_t i = 0; i < COUNT_OF(extensions); i++) {
		if (extensions[i].bit == bit)
			return extensions[i].name;
	}
	return "";
}

const struct sieve_tag *sieve_tag_find(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(tags); i++) {
		if (str_same_nocase(str_c(tags[i].name), name))
			return &tags[i];
	}
	return NULL;
}

const struct sieve_word *sieve_word_find(struct str name, bool is_test)
{
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if ((words[i].place == SIEVE_TEST) == is_test &&
		    str_same_nocase(str_c(words[i].name), name))
			return &words[i];
	}
	return NULL;
}

void sieve_extensions_add(struct buf *out)
{
	for (size_t i = 0; i < COUNT_OF(extensions); i++) {
		if (i > 0)
			buf_add_byte(out, ' ');
		buf_add_c(out, extensions[i].name);
	}
}
