#include "wire/auth/dmarc.h"

#include "base/buf.h"

static void check_uris(const struct dmarc_uris *uris, struct str text)
{
	ASSERT(uris->count <= DMARC_URIS_MAX);
	for (size_t i = 0; i < uris->count; i++) {
		struct str uri = uris->items[i];

		ASSERT(uri.len > 0 && uri.len <= DMARC_URI_BYTES_MAX);
		ASSERT(uri.ptr >= text.ptr && uri.ptr + uri.len <= text.ptr + text.len);
		ASSERT(str_find_byte(uri, ',') == uri.len &&
		       str_find_byte(uri, '!') == uri.len);
	}
}

static void add_uris(struct buf *buf, const char *tag, const struct dmarc_uris *uris)
{
	if (uris->count > 0)
		buf_printf(buf, "; %s=", tag);
	for (size_t i = 0; i < uris->count; i++)
		buf_printf(buf, "%s%.*s", i > 0 ? "," : "", STR_FMT(uris->items[i]));
}

/* What was read, written again, is read as the same. */
static void check_again(const struct dmarc_record *record)
{
	SCOPED(buf_fini) struct buf buf = BUF(64 * 1024);
	struct dmarc_record again;

	buf_printf(&buf, "v=DMARC1; p=%s", dmarc_policy_name(record->p));
	if (record->has_sp)
		buf_printf(&buf, "; sp=%s", dmarc_policy_name(record->sp));
	if (record->has_np)
		buf_printf(&buf, "; np=%s", dmarc_policy_name(record->np));
	buf_printf(&buf, "; t=%s; adkim=%s; aspf=%s", record->is_testing ? "y" : "n",
		   record->is_dkim_strict ? "s" : "r", record->is_spf_strict ? "s" : "r");
	add_uris(&buf, "rua", &record->rua);
	add_uris(&buf, "ruf", &record->ruf);
	ASSERT(dmarc_record_parse(buf_str(&buf), &again));
	ASSERT(again.p == record->p && again.sp == record->sp && again.np == record->np);
	ASSERT(again.rua.count == record->rua.count &&
	       again.ruf.count == record->ruf.count &&
	       again.is_testing == record->is_testing);
}

/* URIs are within the text; policies are never stricter than "none" where they are wrong;
 * and it can be written again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str text = {(const char *)data, len};
	struct dmarc_record record;

	if (!dmarc_record_parse(text, &record))
		return 0;
	ASSERT(dmarc_is_record(text));
	check_uris(&record.rua, text);
	check_uris(&record.ruf, text);
	ASSERT(record.failure_options > 0);
	if (record.policies == DMARC_POLICIES_FINE)
		check_again(&record);
	else
		ASSERT(record.p == DMARC_POLICY_NONE && record.sp == DMARC_POLICY_NONE &&
		       record.np == DMARC_POLICY_NONE);
	return 0;
}
