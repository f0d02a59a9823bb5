#include "imap/permanent.h"

#include "store/acl.h"

/* The keywords are those that clients share (RFC 9051 §2.3.2); others are made by using
 * them. */
#define FLAGS_WRITTEN                                                                    \
	"\\Answered \\Flagged \\Draft $Forwarded $MDNSent $Junk $NotJunk $Phishing"
#define FLAGS_SHOWN FLAGS_WRITTEN " \\Deleted \\Seen"

void permanent_write_flags(struct session *s)
{
	buf_add_c(&s->out, "* FLAGS (" FLAGS_SHOWN ")\r\n");
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
		is_first = false;
	}
	buf_add_c(&s->out, ")] What you may set\r\n");
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
