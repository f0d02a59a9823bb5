/* Files with keys for TSIG, as the tools of name servers write them. */
#include "publish/update.h"

enum { WORDS_MAX = 64 };

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Words, and each of "{};" for itself; quotes are dropped. */
static struct str next_word(struct str *rest)
{
	while (rest->len > 0 &&
	       (is_space(rest->ptr[0]) || rest->ptr[0] == '"' || rest->ptr[0] == '{' ||
		rest->ptr[0] == '}' || rest->ptr[0] == ';'))
		*rest = str_skip(*rest, 1);
	size_t len = 0;

	while (len < rest->len && !is_space(rest->ptr[len]) && rest->ptr[len] != '"' &&
	       rest->ptr[len] != '{' && rest->ptr[len] != '}' && rest->ptr[len] != ';')
		len++;
	struct str word = str_first(*rest, len);

	*rest = str_skip(*rest, len);
	return word;
}

static bool is_algorithm(struct str word)
{
	return str_same_nocase(word, STR("hmac-sha256")) ||
	       str_same_nocase(word, STR("hmac-sha256."));
}

/* key "NAME" { algorithm hmac-sha256; secret "..."; }; */
static bool parse_block(struct str text, struct update_key *key)
{
	struct str rest = text, word;
	bool is_good = false;

	if (!str_same_nocase(next_word(&rest), STR("key")))
		return false;
	key->name = next_word(&rest);
	for (int i = 0; i < WORDS_MAX && (word = next_word(&rest)).len > 0; i++) {
		if (str_same_nocase(word, STR("algorithm")))
			is_good = is_algorithm(next_word(&rest));
		else if (str_same_nocase(word, STR("secret")))
			key->secret = next_word(&rest);
	}
	return is_good && key->secret.len > 0;
}

static bool parse_line(struct str line, struct update_key *key)
{
	line = str_trim(line);
	if (str_starts(line, STR("#")))
		line = str_trim(str_skip(line, 1));
	if (!is_algorithm(str_cut(&line, ':')))
		return false;
	key->name = str_cut(&line, ':');
	key->secret = line;
	return key->secret.len > 0;
}

bool update_key_parse(struct str text, struct arena *arena, struct update_key *key)
{
	struct str rest = text;

	*key = (struct update_key){.name = STR("")};
	bool is_found = parse_block(text, key);

	while (!is_found && rest.len > 0)
		is_found = parse_line(str_cut(&rest, '\n'), key);
	return is_found && dns_name_is_valid(key->name) &&
	       arena_copy(arena, key->name, &key->name) &&
	       arena_copy(arena, key->secret, &key->secret);
}
