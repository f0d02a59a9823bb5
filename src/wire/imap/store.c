#include "wire/imap/store.h"

/* ["+" / "-"] "FLAGS" [".SILENT"] */
static bool data_item(struct imap_in *in, struct imap_store *store)
{
	struct str name;

	if (cur_byte(&in->at, '+'))
		store->how = IMAP_STORE_ADD;
	else if (cur_byte(&in->at, '-'))
		store->how = IMAP_STORE_REMOVE;
	if (!imap_label(in, &name))
		return imap_fail_here(in, "FLAGS, +FLAGS or -FLAGS is expected");
	store->is_silent = str_same_nocase(name, STR("FLAGS.SILENT"));
	return store->is_silent || str_same_nocase(name, STR("FLAGS")) ||
	       imap_fail(in, "unknown item \"%.*s\"", STR_FMT(str_first(name, 40)));
}

/* ["(" "UNCHANGEDSINCE" SP mod-sequence-valzer ")" SP] */
static bool modifier(struct imap_in *in, struct imap_store *store)
{
	struct str name;

	if (!cur_byte(&in->at, '('))
		return true;
	if (!imap_label(in, &name) || !str_same_nocase(name, STR("UNCHANGEDSINCE")))
		return imap_fail_here(in, "only UNCHANGEDSINCE may be here");
	store->has_unchanged_since = true;
	return (imap_space(in) && imap_number(in, INT64_MAX, &store->unchanged_since) &&
		cur_byte(&in->at, ')') && imap_space(in)) ||
	       imap_fail_here(in, "a mod-sequence is expected");
}

bool imap_store(struct imap_in *in, struct imap_store *store)
{
	struct cursor from = in->at;

	*store = (struct imap_store){0};
	if (imap_sequence_set(in, &store->set) && imap_space(in) && modifier(in, store) &&
	    data_item(in, store) && imap_space(in) &&
	    (cur_sees(in->at, '(') ? imap_flag_list(in, &store->flags)
				   : imap_flag_run(in, &store->flags)))
		return true;
	(void)imap_fail_here(in, "an item and flags are expected");
	in->at = from;
	return false;
}
