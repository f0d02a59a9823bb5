#include "wire/imap/select.h"

/* known-uids, known-sequence-set, known-uid-set: sequence-set without "*". */
static bool known_set(struct imap_in *in, struct imap_sequence_set *set)
{
	if (!imap_sequence_set(in, set))
		return false;
	return (set->star_from == 0 && !set->is_saved) ||
	       imap_fail(in, "\"*\" and \"$\" cannot be used in QRESYNC");
}

static uint64_t total(const struct imap_sequence_set *set)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < set->count; i++)
		sum += (uint64_t)set->ranges[i].last - set->ranges[i].first + 1;
	return sum;
}

/* seq-match-data = "(" known-sequence-set SP known-uid-set ")" */
static bool match_data(struct imap_in *in, struct imap_select *select)
{
	if (!cur_byte(&in->at, '(') || !known_set(in, &select->numbers) ||
	    !imap_space(in) || !known_set(in, &select->uids) || !cur_byte(&in->at, ')'))
		return imap_fail_here(in, "numbers and their UIDs are expected");
	return total(&select->numbers) == total(&select->uids) ||
	       imap_fail(in, "there must be as many numbers as UIDs");
}

/* "QRESYNC" SP "(" uidvalidity SP mod-sequence-value [SP known-uids]
 * [SP seq-match-data] ")" */
static bool qresync(struct imap_in *in, struct imap_select *select)
{
	select->is_qresync = true;
	if (!imap_space(in) || !cur_byte(&in->at, '(') ||
	    !imap_nz_number(in, &select->uid_validity) || !imap_space(in) ||
	    !imap_number(in, INT64_MAX, &select->modseq))
		return imap_fail_here(in,
				      "a UIDVALIDITY and a mod-sequence are expected");
	bool more = imap_space(in);

	if (more && !cur_sees(in->at, '(')) {
		if (!known_set(in, &select->known))
			return false;
		select->has_known = true;
		more = imap_space(in);
	}
	if (more && !match_data(in, select))
		return false;
	return cur_byte(&in->at, ')') || imap_fail_here(in, "QRESYNC does not end");
}

static bool parameter(struct imap_in *in, struct imap_select *select)
{
	struct str name;

	if (!imap_label(in, &name))
		return imap_fail_here(in, "a parameter is expected");
	if (str_same_nocase(name, STR("CONDSTORE"))) {
		select->is_condstore = true;
		return true;
	}
	if (str_same_nocase(name, STR("QRESYNC")) && !select->is_qresync)
		return qresync(in, select);
	return imap_fail(in, "unknown parameter \"%.*s\"", STR_FMT(str_first(name, 40)));
}

bool imap_select(struct imap_in *in, struct imap_select *select)
{
	struct cursor from = in->at;

	*select = (struct imap_select){0};
	if (!imap_mailbox(in, &select->mailbox))
		goto out;
	if (!imap_space(in))
		return true;
	if (!cur_byte(&in->at, '(')) {
		(void)imap_fail_here(in, "parameters in () are expected");
		goto out;
	}
	do {
		if (!parameter(in, select))
			goto out;
	} while (imap_space(in));
	if (cur_byte(&in->at, ')'))
		return true;
	(void)imap_fail_here(in, "the parameters do not end");
out:
	in->at = from;
	return false;
}
