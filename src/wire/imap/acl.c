#include "wire/imap/acl.h"

#include "base/utf8.h"

/* identifier = astring, which must be UTF-8 without controls (RFC 4314 §3, §7). */
static bool identifier(struct imap_in *in, struct str *text)
{
	if (!imap_astring(in, text))
		return imap_fail_here(in, "an identifier is expected");
	if (text->len == 0 || text->len > IMAP_IDENTIFIER_MAX || !utf8_valid(*text))
		return imap_fail(in, "that is no identifier");
	for (size_t i = 0; i < text->len; i++)
		if ((unsigned char)text->ptr[i] < 32 || text->ptr[i] == 127)
			return imap_fail(in, "that is no identifier");
	return true;
}

/* mod-rights = ["+" / "-"] *(LOWER-ALPHA / DIGIT); a capital MUST be refused. */
static bool rights(struct imap_in *in, struct imap_acl *acl)
{
	struct str text;

	if (!imap_astring(in, &text))
		return imap_fail_here(in, "rights are expected");
	acl->how = 0;
	if (text.len > 0 && (text.ptr[0] == '+' || text.ptr[0] == '-')) {
		acl->how = text.ptr[0];
		text = str_skip(text, 1);
	}
	if (text.len > IMAP_RIGHTS_MAX)
		return imap_fail(in, "too many rights");
	for (size_t i = 0; i < text.len; i++)
		if ((text.ptr[i] < 'a' || text.ptr[i] > 'z') &&
		    (text.ptr[i] < '0' || text.ptr[i] > '9'))
			return imap_fail(in, "rights are lower-case letters");
	acl->rights = text;
	return true;
}

bool imap_identified(struct imap_in *in, struct imap_acl *acl)
{
	struct cursor from = in->at;

	*acl = (struct imap_acl){0};
	if (imap_mailbox(in, &acl->mailbox) && imap_space(in) &&
	    identifier(in, &acl->identifier))
		return true;
	(void)imap_fail_here(in, "a mailbox and an identifier are expected");
	in->at = from;
	return false;
}

bool imap_setacl(struct imap_in *in, struct imap_acl *acl)
{
	struct cursor from = in->at;

	if (imap_identified(in, acl) && imap_space(in) && rights(in, acl))
		return true;
	(void)imap_fail_here(in, "rights are expected");
	in->at = from;
	return false;
}
