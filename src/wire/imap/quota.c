#include "wire/imap/quota.h"

/* setquota-resource = resource-name SP resource-limit */
static bool setquota_resource(struct imap_in *in)
{
	struct str name;
	uint64_t limit;

	return imap_atom(in, &name) && imap_space(in) &&
	       imap_number(in, INT64_MAX, &limit);
}

/* setquota-list = "(" [setquota-resource *(SP setquota-resource)] ")" */
static bool setquota_list(struct imap_in *in)
{
	size_t count = 0;

	if (!cur_byte(&in->at, '('))
		return imap_fail_here(in, "a list of limits is expected");
	if (cur_byte(&in->at, ')'))
		return true;
	do {
		if (count++ == IMAP_QUOTA_LIMITS_MAX)
			return imap_fail(in, "more than %d limits",
					 IMAP_QUOTA_LIMITS_MAX);
		if (!setquota_resource(in))
			return imap_fail_here(in, "a resource and a limit are expected");
	} while (imap_space(in));
	return cur_byte(&in->at, ')') || imap_fail_here(in, "the limits do not end");
}

bool imap_setquota(struct imap_in *in, struct str *root)
{
	struct cursor from = in->at;

	if (imap_astring(in, root) && imap_space(in) && setquota_list(in))
		return true;
	(void)imap_fail_here(in, "a quota root and limits are expected");
	in->at = from;
	return false;
}
