#include "wire/auth/dkim_canon.h"

#include "base/test.h"

static void keep(void *context, struct str piece)
{
	buf_add(context, piece);
}

/* The body in pieces of that size. */
static void canon(enum dkim_canon kind, struct str body, size_t size, struct buf *out)
{
	struct dkim_canon_body state = {.canon = kind};
	struct dkim_sink sink = {keep, out};

	buf_reset(out);
	for (; body.len > 0; body = str_skip(body, size))
		dkim_canon_body_add(&state, str_first(body, size), &sink);
	dkim_canon_body_end(&state, &sink);
}

static const struct {
	struct str body, simple, relaxed;
} bodies[] = {
	/* RFC 6376 §3.4.5 */
	{STR(" C \r\nD \t E\r\n\r\n\r\n"), STR(" C \r\nD \t E\r\n"),
	 STR(" C\r\nD E\r\n")},
	/* RFC 6376 §3.4.3, §3.4.4 */
	{STR(""), STR("\r\n"), STR("")},
	{STR("\r\n\r\n"), STR("\r\n"), STR("")},
	{STR("a"), STR("a\r\n"), STR("a\r\n")},
	{STR("a \t"), STR("a \t\r\n"), STR("a\r\n")},
	{STR(" \r\n\t\r\n"), STR(" \r\n\t\r\n"), STR("")},
	{STR("  "), STR("  \r\n"), STR("")},
	{STR("\r\n\r\na b\r\n"), STR("\r\n\r\na b\r\n"), STR("\r\n\r\na b\r\n")},
	{STR("a\tb  c\r\n"), STR("a\tb  c\r\n"), STR("a b c\r\n")},
	{STR("\ta\r\n"), STR("\ta\r\n"), STR(" a\r\n")},
	/* A CR or LF of its own is an octet. */
	{STR("a\nb\rc\r\n"), STR("a\nb\rc\r\n"), STR("a\nb\rc\r\n")},
	{STR("a\r\r\nb \r"), STR("a\r\r\nb \r\r\n"), STR("a\r\r\nb \r\r\n")},
	{STR("a\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nb"),
	 STR("a\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nb\r\n"),
	 STR("a\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nb\r\n")},
};

TEST(bodies_have_two_canonical_forms_in_pieces_of_any_size)
{
	struct buf out = BUF(1000);

	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		for (size_t size = 1; size < 20; size++) {
			canon(DKIM_SIMPLE, bodies[i].body, size, &out);
			CHECK_STR(buf_str(&out), bodies[i].simple);
			canon(DKIM_RELAXED, bodies[i].body, size, &out);
			CHECK_STR(buf_str(&out), bodies[i].relaxed);
		}
	}
	buf_fini(&out);
}

static const struct {
	struct str field, relaxed;
} fields[] = {
	/* RFC 6376 §3.4.5 */
	{STR("A: X\r\n"), STR("a:X")},
	{STR("B : Y\t\r\n\tZ  \r\n"), STR("b:Y Z")},
	{STR("SUBJect:"), STR("subject:")},
	{STR("Subject: \r\n \r\n"), STR("subject:")},
	{STR("To:a,\r\n b:c\r\n"), STR("to:a, b:c")},
	{STR("X: a\rb\nc"), STR("x:a\rb\nc")},
	{STR("no field\r\n"), STR("no field")},
};

TEST(fields_have_two_canonical_forms)
{
	struct buf out = BUF(1000);

	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		buf_reset(&out);
		dkim_canon_field(DKIM_RELAXED, fields[i].field, &out);
		CHECK_STR(buf_str(&out), fields[i].relaxed);
		buf_reset(&out);
		dkim_canon_field(DKIM_SIMPLE, fields[i].field, &out);
		CHECK(str_starts(fields[i].field, buf_str(&out)));
		CHECK(!str_ends(buf_str(&out), STR("\r\n")));
	}
	buf_fini(&out);
}
