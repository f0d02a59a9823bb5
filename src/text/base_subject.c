#include "text/base_subject.h"

#include "text/text_header.h"

/* Step 1: UTF-8 with single spaces. */
static struct str one_spaced(struct buf *buf, struct str value)
{
	size_t len = 0;

	text_header_add(buf, value);
	for (size_t i = 0; i < buf->len; i++) {
		if (buf->ptr[i] == ' ' && len > 0 && buf->ptr[len - 1] == ' ')
			continue;
		buf->ptr[len++] = buf->ptr[i];
	}
	buf_cut(buf, len);
	return str_trim(buf_str(buf));
}

/* Step 2: "(fwd)" and space at the end. */
static struct str without_trailers(struct str s, bool *is_reply)
{
	for (s = str_trim(s); s.len >= 5; s = str_trim(s)) {
		if (!str_same_nocase(str_skip(s, s.len - 5), STR("(fwd)")))
			break;
		s.len -= 5;
		*is_reply = true;
	}
	return s;
}

/* subj-blob = "[" *BLOBCHAR "]" *WSP; the length of one at the front, or 0. */
static size_t blob(struct str s)
{
	size_t at = 1;

	if (s.len == 0 || s.ptr[0] != '[')
		return 0;
	while (at < s.len && s.ptr[at] != '[' && s.ptr[at] != ']')
		at++;
	if (at == s.len || s.ptr[at] != ']')
		return 0;
	for (at++; at < s.len && s.ptr[at] == ' '; at++)
		continue;
	return at;
}

/* subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":" */
static size_t refwd(struct str s)
{
	size_t at = str_starts_nocase(s, STR("fwd"))  ? 3
		    : str_starts_nocase(s, STR("fw")) ? 2
		    : str_starts_nocase(s, STR("re")) ? 2
						      : 0;

	if (at == 0)
		return 0;
	while (at < s.len && s.ptr[at] == ' ')
		at++;
	at += blob(str_skip(s, at));
	return at < s.len && s.ptr[at] == ':' ? at + 1 : 0;
}

/* Step 3: subj-leader = (*subj-blob subj-refwd) / WSP; one at the front. */
static size_t leader(struct str s, bool *is_reply)
{
	size_t at = 0, more;

	if (s.len > 0 && s.ptr[0] == ' ')
		return 1;
	while ((more = blob(str_skip(s, at))) > 0)
		at += more;
	more = refwd(str_skip(s, at));
	*is_reply |= more > 0;
	return more > 0 ? at + more : 0;
}

/* Steps 3 to 5.  Blobs are passed over together before a leader is looked for, so a long
 * row of them is read twice, not once for each. */
static struct str without_leaders(struct str s, bool *is_reply)
{
	size_t more;

	do {
		while ((more = leader(s, is_reply)) > 0)
			s = str_skip(s, more);
		while ((more = blob(s)) > 0 && more < s.len) {
			s = str_skip(s, more);
			if (s.ptr[0] != '[')
				break;
		}
	} while (more > 0 && more < s.len);
	return s;
}

bool base_subject_add(struct buf *out, struct str value)
{
	struct buf buf = BUF(value.len * 3 + 8);
	struct str s = one_spaced(&buf, value);
	bool is_reply = false;

	for (;;) {
		s = without_trailers(s, &is_reply);
		s = without_leaders(s, &is_reply);
		if (!str_starts_nocase(s, STR("[fwd:")) || s.ptr[s.len - 1] != ']')
			break;
		s = str_skip(s, 5); /* step 6 */
		s.len--;
		is_reply = true;
	}
	buf_add(out, s);
	buf_fini(&buf);
	return is_reply;
}
