#include "wire/imap/partial.h"

#include "base/num.h"

/* [MINUS] nz-number */
static bool place(struct imap_in *in, bool is_from_end, uint32_t *number)
{
	return (!is_from_end || cur_byte(&in->at, '-')) && imap_nz_number(in, number);
}

bool imap_partial(struct imap_in *in, struct imap_partial *partial)
{
	struct imap_in at = *in;
	struct imap_partial got = {.is_from_end = cur_sees(in->at, '-')};

	if (!place(&at, got.is_from_end, &got.first) || !cur_byte(&at.at, ':') ||
	    !place(&at, got.is_from_end, &got.last))
		return imap_fail_here(in, "a range like 1:500 or -1:-100 is expected");
	in->at = at.at;
	*partial = got;
	return true;
}

void imap_partial_write(struct buf *out, const struct imap_partial *partial)
{
	const char *sign = partial->is_from_end ? "-" : "";

	buf_printf(out, "%s%u:%s%u", sign, partial->first, sign, partial->last);
}

void imap_partial_places(const struct imap_partial *partial, uint64_t total,
			 uint64_t *begin, uint64_t *end)
{
	uint64_t low = num_min(partial->first, partial->last);
	uint64_t high = num_max(partial->first, partial->last);

	*begin = num_min(low - 1, total);
	*end = num_min(high, total);
	if (!partial->is_from_end)
		return;
	uint64_t from_end = *begin;

	*begin = total - *end;
	*end = total - from_end;
}
