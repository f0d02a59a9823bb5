#include "wire/auth/tag_list.h"

#include "base/buf.h"

/* Tags lie in order within the text, no two have one name, and the list written again
 * from names and values reads the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SCOPED(buf_fini) struct buf again = BUF(2 * len + 1000);
	struct str text = {(const char *)data, len}, rest, item;
	struct tag_list list, read;
	const char *at = text.ptr;

	if (tag_list_parse(text, &list) != TAG_LIST_FINE)
		return 0;
	for (size_t i = 0; i < list.count; i++) {
		const struct tag *tag = &list.tags[i];

		ASSERT(tag->name.ptr >= at && tag->whole.ptr > tag->name.ptr);
		ASSERT(tag->whole.len >= tag->value.len);
		at = tag->whole.ptr + tag->whole.len;
		ASSERT(at <= text.ptr + len);
		buf_printf(&again, "%.*s=%.*s;", STR_FMT(tag->name), STR_FMT(tag->value));
		rest = tag->value;
		while (tag_item_next(&rest, &item))
			ASSERT(item.len <= tag->value.len);
	}
	if (again.len > TAG_LIST_BYTES_MAX)
		return 0;
	ASSERT(tag_list_parse(buf_str(&again), &read) == TAG_LIST_FINE);
	ASSERT(read.count == list.count);
	for (size_t i = 0; i < list.count; i++) {
		ASSERT(str_same(read.tags[i].name, list.tags[i].name));
		ASSERT(str_same(read.tags[i].value, list.tags[i].value));
	}
	return 0;
}
