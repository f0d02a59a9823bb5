#include "text/saslprep.h"

#include <unicode/usprep.h>
#include <unicode/ustring.h>

#include "base/utf8.h"

enum { TEXT_MAX = 1024, UNITS_MAX = 4 * TEXT_MAX };

/* Built once and kept; NULL if ICU came without its data. */
static const UStringPrepProfile *profile(void)
{
	static UStringPrepProfile *opened;
	UErrorCode error = U_ZERO_ERROR;

	if (!opened)
		opened = usprep_openByType(USPREP_RFC4013_SASLPREP, &error);
	return opened;
}

static bool add_prepared(struct buf *out, const UChar *units, int32_t count)
{
	UErrorCode error = U_ZERO_ERROR;
	int32_t len = 0;
	char *room = buf_room(out, 3 * (size_t)count); /* a unit has no more octets */

	if (!room)
		return false;
	(void)u_strToUTF8(room, 3 * count, &len, units, count, &error);
	if (U_FAILURE(error))
		return false;
	buf_grew(out, (size_t)len);
	return true;
}

bool saslprep_add(struct buf *out, struct str text)
{
	UChar units[TEXT_MAX], mapped[UNITS_MAX];
	UErrorCode error = U_ZERO_ERROR;
	int32_t count = 0, len = 0;

	if (utf8_ascii_len(text) == text.len) {
		buf_add(out, text);
		return text.len > 0 && text.len <= TEXT_MAX && buf_ok(out);
	}
	if (text.len > TEXT_MAX || !utf8_valid(text) || !profile())
		return false;
	(void)u_strFromUTF8(units, TEXT_MAX, &count, text.ptr, (int32_t)text.len, &error);
	if (U_SUCCESS(error))
		len = usprep_prepare(profile(), units, count, mapped, UNITS_MAX,
				     USPREP_ALLOW_UNASSIGNED, NULL, &error);
	bool is_good = U_SUCCESS(error) && len > 0 && add_prepared(out, mapped, len);

	explicit_bzero(units, sizeof units);
	explicit_bzero(mapped, sizeof mapped);
	return is_good;
}
