#include "imap/permanent.h"

#include "store/acl.h"

enum { KEYWORDS_TOLD_MAX = 200 };

/* The keywords are those that clients share (RFC 9051 §2.3.2); others are made by using
 * them. */
#define KEYWORDS_SHARED "$Forwarded $MDNSent $Junk $NotJunk $Phishing"
#define FLAGS_WRITTEN   "\\Answered \\Flagged \\Draft " KEYWORDS_SHARED

void permanent_write_flags(struct session *s)
{
	buf_add_c(&s->out, "* FLAGS (" FLAGS_WRITTEN " \\Deleted \\Seen");
	buf_add(&s->out, buf_str(&s->box.keywords));
	buf_add_c(&s->out, ")\r\n");
}

/* What may be changed.  RFC 4314 §5.1.1. */
void permanent_write(struct session *s)
{
	static const struct {
		enum acl_right right;
		const char *flags;
	} given[] = {{ACL_WRITE, FLAGS_WRITTEN},
		     {ACL_TRASH, "\\Deleted"},
		     {ACL_SEEN, "\\Seen"},
		     {ACL_WRITE, "\\*"}};
	bool is_first = true;

	buf_add_c(&s->out, "* OK [PERMANENTFLAGS (");
	for (size_t i = 0; i < COUNT_OF(given) && !s->box.is_read_only; i++) {
		if (!(s->box.rights & given[i].right))
			continue;
		if (!is_first)
			buf_add_byte(&s->out, ' ');
		buf_add_c(&s->out, given[i].flags);
		if (i == 0)
			buf_add(&s->out, buf_str(&s->box.keywords));
		is_first = false;
	}
	buf_add_c(&s->out, ")] What you may set\r\n");
}

static bool is_among(struct str words, struct str keyword)
{
	while (words.len > 0)
		if (str_same_nocase(str_cut(&words, ' '), keyword))
			return true;
	return false;
}

/* RFC 9051 §7.3.5 asks for FLAGS with SELECT alone; but a client has nothing else to know
 * a keyword by that came into use meanwhile, and many offer what FLAGS has and show
 * nothing else. */
void permanent_meet(struct session *s, const struct keywords *keywords)
{
	struct buf *told = &s->box.keywords;
	size_t before = told->len;

	for (size_t i = 0; i < keywords->count; i++) {
		struct str word = keywords->words[i];

		if (s->box.keyword_count == KEYWORDS_TOLD_MAX ||
		    is_among(STR(KEYWORDS_SHARED), word) || is_among(buf_str(told), word))
			continue;
		buf_printf(told, " %.*s", STR_FMT(word));
		s->box.keyword_count++;
	}
	if (told->len == before)
		return;
	permanent_write_flags(s);
	if (!s->box.is_read_only && (s->box.rights & ACL_WRITE))
		permanent_write(s);
}

/* RFC 4314 §5.2: \Seen is everybody's own, so that the right to it is none to write. */
bool permanent_is_read_only(const struct session *s)
{
	return s->box.is_read_only ||
	       !(s->box.rights & (ACL_INSERT | ACL_EXPUNGE | ACL_WRITE | ACL_TRASH));
}

/* RFC 4314 §5.1.1: who looks at the rights with each command SHOULD tell of them.  RFC
 * 9051 §7.1 has READ-ONLY and READ-WRITE for a mailbox that is open, too. */
void permanent_change(struct session *s, uint32_t rights)
{
	bool was_read_only = permanent_is_read_only(s);

	if (s->box.rights == rights)
		return;
	s->box.rights = rights;
	permanent_write_flags(s);
	permanent_write(s);
	if (was_read_only && !permanent_is_read_only(s))
		buf_add_c(&s->out, "* OK [READ-WRITE] You may change it now\r\n");
	if (!was_read_only && permanent_is_read_only(s))
		buf_add_c(&s->out, "* OK [READ-ONLY] You may only read it now\r\n");
}
