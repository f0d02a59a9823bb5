#include "wire/json/json.h"

#include "base/utf8.h"

/* What was taken as a whole is walked through to its end, and each part is a value of its
 * own inside it; strings are UTF-8. */
static void walk(struct str value, struct arena *arena, unsigned depth)
{
	struct js_items items;
	struct str name, inner, text;
	uint64_t count;

	ASSERT(depth <= JSON_DEPTH_MAX);
	if (js_text(value, arena, &text))
		ASSERT(utf8_valid(text) && text.len + 2 <= value.len);
	(void)js_count(value, 1000, &count); /* stays inside */
	if (!js_object(value, &items) && !js_array(value, &items))
		return;
	while (js_next(&items, &name, &inner)) {
		struct cursor c = cur_over(inner);
		struct str again;

		ASSERT(inner.ptr > value.ptr &&
		       inner.ptr + inner.len < value.ptr + value.len);
		ASSERT(items.is_object == (name.len >= 2));
		ASSERT(js_take(&c, &again) && cur_done(c) && again.len == inner.len);
		walk(inner, arena, depth + 1);
	}
	ASSERT(items.at.at == value.ptr + value.len - 1); /* at the closing bracket */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SCOPED(arena_fini) struct arena arena;
	struct cursor c = cur_over((struct str){(const char *)data, len});
	struct str value;

	arena_init(&arena, 1024 * 1024);
	if (js_take(&c, &value))
		walk(value, &arena, 0);
	else
		ASSERT(c.at == (const char *)data);
	return 0;
}
