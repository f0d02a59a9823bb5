/* Two readings of the input: a body, which must come back from its packed form; and a
 * head with packed octets behind it, from which any way of expanding makes the same. */
#include "store/body_form.h"

#include "base/mem.h"
#include "base/num.h"

enum { RAW_MAX = 1 << 20 };

/* In pieces of which the length varies, with the packed octets. */
static void expand(const struct body_form *form, struct str packed, struct buf *out)
{
	struct body_expander expander = {.form = form};

	for (size_t n = 1; packed.len > 0; n = n * 3 % 1021) {
		size_t before = out->len, len = num_min(n, packed.len);

		body_expand(&expander, str_first(packed, n), out);
		ASSERT(buf_ok(out) && out->len - before <= BODY_EXPANDED(len));
		packed = str_skip(packed, n);
	}
}

/* Both ways of expanding. */
static void expand_both(const struct body_form *form, struct str packed, size_t raw_size,
			struct buf *out)
{
	char *room = mem_zeroed(raw_size + 1, 1);

	if (packed.len > 0)
		memcpy(room + (raw_size - packed.len), packed.ptr, packed.len);
	body_form_expand(form, room, raw_size, packed.len);
	expand(form, packed, out);
	ASSERT(str_same(buf_str(out), (struct str){room, raw_size}));
	ASSERT(room[raw_size] == 0);
	mem_free(room);
}

/* Copied text and decoded runs, as a frame_maker takes them. */
static void pack(struct str raw, const struct body_form *form, struct str decoded,
		 struct buf *packed)
{
	for (size_t i = 0; i < form->count; i++) {
		const struct body_run *run = &form->runs[i];

		ASSERT(raw.len >= run->text + body_run_size(run));
		buf_add(packed, str_first(raw, run->text));
		buf_add(packed, str_first(decoded, run->len));
		raw = str_skip(raw, run->text + body_run_size(run));
		decoded = str_skip(decoded, run->len);
	}
	ASSERT(decoded.len == 0);
	buf_add(packed, raw);
}

static void as_body(struct str raw)
{
	struct buf decoded = BUF(BODY_DECODED_MAX), head = BUF(BODY_HEAD_MAX);
	struct buf packed = BUF(RAW_MAX), again = BUF(2 * RAW_MAX);
	struct body_form form, read;
	uint64_t packed_size;

	body_form_find(raw, &form, &decoded);
	body_form_add(&head, &form);
	ASSERT(buf_ok(&head) && body_form_read(buf_str(&head), &read));
	ASSERT(read.count == form.count && read.head_len == head.len);
	pack(raw, &read, buf_str(&decoded), &packed);
	ASSERT(body_form_packed(&read, raw.len, &packed_size) &&
	       packed_size == packed.len);
	expand_both(&read, buf_str(&packed), raw.len, &again);
	ASSERT(str_same(buf_str(&again), raw));
	buf_fini(&decoded);
	buf_fini(&head);
	buf_fini(&packed);
	buf_fini(&again);
}

/* The size that makes the packed octets fit the runs, if any does. */
static void as_head(struct str frame)
{
	struct buf out = BUF((size_t)4 * RAW_MAX);
	struct body_form form;
	uint64_t raw_size = 0, packed_size = 0;

	if (!body_form_read(frame, &form))
		return;
	struct str packed = str_skip(frame, form.head_len);

	for (size_t i = 0; i < form.count; i++) {
		raw_size += form.runs[i].text + body_run_size(&form.runs[i]);
		packed_size += form.runs[i].text + form.runs[i].len;
	}
	if (packed_size > packed.len)
		return;
	raw_size += packed.len - packed_size;
	ASSERT(body_form_packed(&form, raw_size, &packed_size));
	ASSERT(packed_size == packed.len);
	expand_both(&form, packed, raw_size, &out);
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > RAW_MAX)
		return 0;
	as_body((struct str){(const char *)data, size});
	as_head((struct str){(const char *)data, size});
	return 0;
}
