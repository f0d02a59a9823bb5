#include "wire/imap/metadata.h"

#include "base/utf8.h"

/* RFC 5464 §3.2: levels that are not empty, without wildcards and controls, below one of
 * two roots; names are the same in any case. */
static bool is_entry(struct str name)
{
	bool is_private = str_same(str_first(name, 8), STR("/private"));

	if (!is_private && !str_same(str_first(name, 7), STR("/shared")))
		return false;
	if (name.len > IMAP_ENTRY_BYTES_MAX || name.ptr[name.len - 1] == '/' ||
	    !utf8_valid(name))
		return false;
	struct str rest = str_skip(name, is_private ? 8 : 7);

	if (rest.len > 0 && rest.ptr[0] != '/')
		return false;
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.ptr[i];

		if (c < 32 || c > 126 || c == '*' || c == '%' ||
		    (c == '/' && i + 1 < name.len && name.ptr[i + 1] == '/'))
			return false;
	}
	return true;
}

static bool entry(struct imap_in *in, struct str *name)
{
	struct str text;
	char *lower;

	if (!imap_astring(in, &text))
		return imap_fail_here(in, "an entry is expected");
	lower = arena_alloc(in->arena, text.len + 1, 1);
	if (!lower)
		return imap_fail(in, "too much in one command");
	for (size_t i = 0; i < text.len; i++)
		lower[i] = ascii_lower(text.ptr[i]);
	*name = (struct str){lower, text.len};
	return is_entry(*name) || imap_fail(in, "that is no entry: it begins with "
						"/private/ or /shared/");
}

/* value = nstring / literal8 */
static bool value(struct imap_in *in, struct str *text)
{
	struct cursor from = in->at;
	uint64_t len;

	if (!cur_byte(&in->at, '~'))
		return imap_nstring(in, text) ||
		       imap_fail_here(in, "a value or NIL is expected");
	bool ok = cur_byte(&in->at, '{') && imap_number(in, UINT32_MAX, &len);

	if (ok)
		(void)cur_byte(&in->at, '+');
	ok = ok && cur_byte(&in->at, '}') && cur_byte(&in->at, '\r') &&
	     cur_byte(&in->at, '\n') && len <= (uint64_t)(in->at.end - in->at.at);
	if (!ok) {
		in->at = from;
		return imap_fail(in, "a literal that is cut short");
	}
	*text = (struct str){in->at.at, (size_t)len};
	in->at.at += len;
	return true;
}

static bool keep(struct imap_in *in, const struct imap_entry *entries, size_t count,
		 struct imap_metadata *metadata)
{
	struct imap_entry *kept = ARENA_ARRAY(in->arena, struct imap_entry, count);

	if (!kept)
		return imap_fail(in, "too much in one command");
	memcpy(kept, entries, count * sizeof *kept);
	metadata->entries = kept;
	metadata->count = count;
	return true;
}

/* The inside of a list, with values or without, and its end. */
static bool list(struct imap_in *in, bool has_values, struct imap_metadata *metadata)
{
	struct imap_entry entries[IMAP_ENTRIES_MAX] = {0};
	size_t count = 0;

	do {
		if (count == IMAP_ENTRIES_MAX)
			return imap_fail(in, "more than %d entries", IMAP_ENTRIES_MAX);
		if (!entry(in, &entries[count].name))
			return false;
		if (has_values && (!imap_space(in) || !value(in, &entries[count].value)))
			return imap_fail_here(in, "a value is expected");
		count++;
	} while (imap_space(in));
	if (!cur_byte(&in->at, ')'))
		return imap_fail_here(in, "the entries do not end");
	return keep(in, entries, count, metadata);
}

bool imap_entries(struct imap_in *in, struct imap_metadata *metadata)
{
	struct cursor from = in->at;

	if (cur_byte(&in->at, '(') && list(in, false, metadata))
		return true;
	(void)imap_fail_here(in, "a list of entries is expected");
	in->at = from;
	return false;
}

static bool depth(struct imap_in *in, enum imap_depth *found)
{
	struct str word;

	if (!imap_space(in) || !imap_label(in, &word))
		return imap_fail_here(in, "DEPTH is 0, 1 or infinity");
	if (str_same(word, STR("0")))
		*found = IMAP_DEPTH_0;
	else if (str_same(word, STR("1")))
		*found = IMAP_DEPTH_1;
	else if (str_same_nocase(word, STR("infinity")))
		*found = IMAP_DEPTH_INFINITY;
	else
		return imap_fail(in, "DEPTH is 0, 1 or infinity");
	return true;
}

/* Behind "(". */
static bool options(struct imap_in *in, struct imap_metadata *metadata)
{
	struct str word;

	do {
		if (!imap_label(in, &word))
			return imap_fail_here(in, "an option is expected");
		if (str_same_nocase(word, STR("MAXSIZE"))) {
			metadata->has_max_size = true;
			if (!imap_space(in) ||
			    !imap_number(in, UINT32_MAX, &metadata->max_size))
				return imap_fail_here(in, "MAXSIZE needs a number");
		} else if (!str_same_nocase(word, STR("DEPTH"))) {
			return imap_fail(in, "unknown option \"%.*s\"",
					 STR_FMT(str_first(word, 40)));
		} else if (!depth(in, &metadata->depth)) {
			return false;
		}
	} while (imap_space(in));
	return cur_byte(&in->at, ')') || imap_fail_here(in, "the options do not end");
}

/* After the mailbox: options, which no entry begins like, or the entries. */
static bool options_follow(struct imap_in *in)
{
	struct cursor at = in->at;

	return cur_byte(&at, '(') && !cur_sees(at, '/') && !cur_sees(at, '"') &&
	       !cur_sees(at, '{');
}

static bool get(struct imap_in *in, struct imap_metadata *metadata)
{
	struct imap_entry one = {0};

	if (cur_byte(&in->at, '(') && (!options(in, metadata) || !imap_space(in)))
		return false;
	if (!imap_mailbox(in, &metadata->mailbox) || !imap_space(in))
		return false;
	if (options_follow(in) &&
	    (!cur_byte(&in->at, '(') || !options(in, metadata) || !imap_space(in)))
		return false;
	if (cur_sees(in->at, '('))
		return imap_entries(in, metadata);
	return entry(in, &one.name) && keep(in, &one, 1, metadata);
}

bool imap_getmetadata(struct imap_in *in, struct imap_metadata *metadata)
{
	struct cursor from = in->at;

	*metadata = (struct imap_metadata){0};
	if (get(in, metadata))
		return true;
	(void)imap_fail_here(in, "a mailbox and entries are expected");
	in->at = from;
	return false;
}

bool imap_setmetadata(struct imap_in *in, struct imap_metadata *metadata)
{
	struct cursor from = in->at;

	*metadata = (struct imap_metadata){0};
	if (imap_mailbox(in, &metadata->mailbox) && imap_space(in) &&
	    cur_byte(&in->at, '(') && list(in, true, metadata))
		return true;
	(void)imap_fail_here(in, "a mailbox and entries with values are expected");
	in->at = from;
	return false;
}
