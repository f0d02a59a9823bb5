#include "wire/auth/gs2.h"

#include "base/test.h"

static enum gs2_result take(struct arena *arena, struct str text,
			    struct gs2_header *header)
{
	struct cursor c = cur_over(text);
	enum gs2_result result = gs2_header_take(&c, arena, header);

	CHECK(c.at == text.ptr + (result == GS2_FINE ? header->text.len : 0));
	return result;
}

TEST(reads_gs2_headers)
{
	struct arena arena;
	struct gs2_header h;

	arena_init(&arena, 4096);
	CHECK(take(&arena, STR("n,,n=user"), &h) == GS2_FINE);
	CHECK(h.binding == GS2_NO_BINDING && h.authzid.len == 0);
	CHECK_STR(h.text, STR("n,,"));
	CHECK(take(&arena, STR("y,a=b=2Cc=3Dd,x"), &h) == GS2_FINE);
	CHECK(h.binding == GS2_BINDING_UNSEEN);
	CHECK_STR(h.authzid, STR("b,c=d"));
	CHECK_STR(h.text, STR("y,a=b=2Cc=3Dd,"));
	CHECK(take(&arena, STR("p=tls-exporter,,"), &h) == GS2_FINE);
	CHECK(h.binding == GS2_BINDING_USED && h.channel == GS2_TLS_EXPORTER);
	CHECK(take(&arena, STR("p=tls-server-end-point,a=b,"), &h) == GS2_FINE);
	CHECK(h.channel == GS2_TLS_SERVER_END_POINT);
	CHECK(take(&arena, STR("p=tls-unique,,"), &h) == GS2_FINE);
	CHECK(h.binding == GS2_BINDING_USED && h.channel == GS2_CHANNEL_OTHER);
	CHECK(take(&arena, STR("p=a.b,,"), &h) == GS2_FINE);
	arena_fini(&arena);
}

TEST(refuses_what_is_no_gs2_header)
{
	static const char *const bad[] = {
		"",
		"n",
		"n,",
		"n,a=b",
		"x,,",
		"F,n,,",
		"n=,,",
		"p,,",
		"p=,,",
		"p=a_b,,",
		"N,,",
		"n,b=c,,",
		"n,b,,",
		"n,A=b,",
		"p=tls-exporter",
		"p=tls exporter,,",
	};
	struct arena arena;
	struct gs2_header h;

	arena_init(&arena, 4096);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(take(&arena, str_c(bad[i]), &h) == GS2_MALFORMED);
	CHECK(take(&arena, STR("n,a=,"), &h) == GS2_BAD_NAME);
	CHECK(take(&arena, STR("n,a=b\0,"), &h) == GS2_BAD_NAME);
	CHECK(take(&arena, STR("n,a=b\xff,"), &h) == GS2_BAD_NAME);
	arena_fini(&arena);
}

TEST(names_quote_commas_and_equals_signs_only)
{
	struct buf buf = BUF(100);
	struct arena arena;
	struct str name;

	arena_init(&arena, 16);
	CHECK(gs2_name_read(STR("=2C=3D=3D2C"), &arena, &name) == GS2_FINE);
	CHECK_STR(name, STR(",==2C"));
	gs2_name_add(&buf, name);
	CHECK_STR(buf_str(&buf), STR("=2C=3D=3D2C"));
	CHECK(gs2_name_read(STR("a"), &arena, &name) == GS2_NO_ROOM);
	arena_reset(&arena);
	CHECK(gs2_name_read(STR("a=2c"), &arena, &name) == GS2_BAD_NAME);
	arena_reset(&arena);
	CHECK(gs2_name_read(STR("a="), &arena, &name) == GS2_BAD_NAME);
	arena_reset(&arena);
	CHECK(gs2_name_read(STR("a=2"), &arena, &name) == GS2_BAD_NAME);
	CHECK(gs2_name_read(STR("a,b"), &arena, &name) == GS2_BAD_NAME);
	CHECK(gs2_name_read(STR(""), &arena, &name) == GS2_BAD_NAME);
	arena_fini(&arena);
	buf_fini(&buf);
}

TEST(writes_gs2_headers)
{
	struct buf buf = BUF(200);

	gs2_header_add(&buf, GS2_NO_BINDING, GS2_CHANNEL_OTHER, STR(""));
	gs2_header_add(&buf, GS2_BINDING_UNSEEN, GS2_CHANNEL_OTHER, STR("b,c"));
	gs2_header_add(&buf, GS2_BINDING_USED, GS2_TLS_EXPORTER, STR(""));
	gs2_header_add(&buf, GS2_BINDING_USED, GS2_TLS_SERVER_END_POINT, STR("d"));
	CHECK_STR(buf_str(&buf), STR("n,,y,a=b=2Cc,p=tls-exporter,,"
				     "p=tls-server-end-point,a=d,"));
	buf_fini(&buf);
}
