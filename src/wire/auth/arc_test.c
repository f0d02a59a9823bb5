#include "wire/auth/arc.h"

#include "base/test.h"

#define BH      "bh=4bLNXImK9drULnmePzZNEBleUanJCX5PIsDIFoH4KTQ=; "
#define REST    "a=rsa-sha256; d=a.example; s=s1; b=AAEC"
#define MESSAGE "i=1; h=From:To; " BH REST
#define SEAL    "i=1; cv=none; " REST

#define NO_INSTANCE "its instance is no number from 1 to 50"
#define NO_BEGIN    "it does not begin with its instance"
#define NO_TAG      "the signature field lacks a tag that each has"

static const struct {
	enum arc_kind kind;
	struct str value;
	unsigned instance;
	const char *flaw;
} cases[] = {
	{ARC_RESULTS, STR("i=1; a.example; none"), 1, NULL},
	{ARC_RESULTS, STR(" (a (b\\)) c)\r\n\ti (x) = (y) 50 (z) ; a.example"), 50, NULL},
	{ARC_RESULTS, STR("i=07;"), 7, NULL},
	{ARC_RESULTS, STR("i=0; a.example"), 0, NO_INSTANCE},
	{ARC_RESULTS, STR("i=51; a.example"), 0, NO_INSTANCE},
	{ARC_RESULTS, STR("i=001; a.example"), 0, NO_INSTANCE},
	{ARC_RESULTS, STR("i=-1; a.example"), 0, NO_INSTANCE},
	{ARC_RESULTS, STR("i=1 2; a.example"), 0, NO_INSTANCE},
	{ARC_RESULTS, STR("i=1(; a.example"), 0, NO_INSTANCE},
	{ARC_RESULTS, STR("i=; a.example"), 0, NO_INSTANCE},
	{ARC_RESULTS, STR("i=1"), 0, NO_INSTANCE},
	{ARC_RESULTS, STR("I=1; a.example"), 0, NO_BEGIN},
	{ARC_RESULTS, STR("i 1; a.example"), 0, NO_BEGIN},
	{ARC_RESULTS, STR("a.example; i=1"), 0, NO_BEGIN},
	{ARC_RESULTS, STR("i"), 0, NO_BEGIN},
	{ARC_RESULTS, STR(""), 0, NO_BEGIN},
	{ARC_MESSAGE, STR(MESSAGE), 1, NULL},
	{ARC_MESSAGE, STR(MESSAGE "; v=2; c=relaxed/relaxed; t=1; x=2"), 1, NULL},
	{ARC_MESSAGE, STR(BH REST "; h=From; i=3"), 3, NULL}, /* ANY_ORDER */
	{ARC_MESSAGE, STR("i=2; h=From:arc-authentication-results; " BH REST), 2,
	 NULL}, /* SIGNED_RESULTS */
	{ARC_MESSAGE, STR("i=2; h=From:Arc-Seal; " BH REST), 2,
	 "it covers seals, which none may"},
	{ARC_MESSAGE, STR("i=2; h=To; " BH REST), 2, "the signature does not cover From"},
	{ARC_MESSAGE, STR("i=2; h=From; " REST), 2, NO_TAG},
	{ARC_MESSAGE, STR("i=2; " BH REST), 2, NO_TAG},
	{ARC_MESSAGE, STR("i=joe@a.example; h=From; " BH REST), 0, NO_INSTANCE},
	{ARC_MESSAGE, STR("h=From; " BH REST), 0, NO_INSTANCE},
	{ARC_MESSAGE, STR("i=2; h=From; " BH REST "; i=2"), 0,
	 "the signature field has a tag twice"},
	{ARC_MESSAGE, STR("words"), 0, "the signature field is no list of tags"},
	{ARC_SEAL, STR(SEAL), 1, NULL},
	{ARC_SEAL, STR("i=2 (second); cv=Pass; t=1; unknown=2; " REST), 2, NULL},
	{ARC_SEAL, STR("i=2; cv=fail; " REST), 2, NULL},
	{ARC_SEAL, STR("i=2; cv=maybe; " REST), 2,
	 "it does not say what the chain was (cv=)"},
	{ARC_SEAL, STR("i=2; " REST), 2, "it does not say what the chain was (cv=)"},
	{ARC_SEAL, STR("i=1; cv=none; h=From; " REST), 1,
	 "it names fields (h=), which a seal does not"},
	{ARC_SEAL, STR("i=1; cv=none; a=rsa-sha256; d=a.example; s=s1"), 1, NO_TAG},
	{ARC_SEAL, STR("i=1; cv=none; a=rsa-sha256; d=a.example; s=s1; b="), 1,
	 "the signature or the hash of the body is damaged"},
	{ARC_SEAL, STR("i=1; cv=none; a=none; d=a.example; s=s1; b=AAEC"), 1,
	 "the algorithm of the signature is unknown"},
	{ARC_SEAL, STR("i=1; cv=none; a=rsa-sha256; d=a..example; s=s1; b=AAEC"), 1,
	 "domain and selector of the signature make no name"},
	{ARC_SEAL, STR("i=x; cv=none; " REST), 0, NO_INSTANCE},
};

TEST(arc_fields_are_read)
{
	SCOPED(arena_fini) struct arena arena;

	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arc_field field;

		arc_field_parse(cases[i].kind, cases[i].value, &arena, &field);
		CHECK_STR(str_c(field.flaw ? field.flaw : "fine"),
			  str_c(cases[i].flaw ? cases[i].flaw : "fine"));
		CHECK(field.instance == cases[i].instance);
	}
}

TEST(an_arc_field_says_what_it_holds)
{
	SCOPED(arena_fini) struct arena arena;
	struct arc_field field;

	arena_init(&arena, 1 << 20);
	arc_field_parse(ARC_RESULTS, STR(" i=2; mx.example;\r\n\tspf=pass \r\n"), &arena,
			&field);
	CHECK_STR(field.results, STR("mx.example;\r\n\tspf=pass"));
	arc_field_parse(ARC_SEAL, STR("i=3; cv=PASS; t=12; " REST), &arena, &field);
	CHECK(field.has_cv && field.cv == ARC_CV_PASS);
	CHECK_STR(field.signature.domain, STR("a.example"));
	CHECK_STR(field.signature.selector, STR("s1"));
	CHECK(field.signature.has_time && field.signature.time == 12);
	arc_field_parse(ARC_SEAL, STR("i=3; cv=fail; h=; " REST), &arena, &field);
	CHECK(field.flaw && field.has_cv && field.cv == ARC_CV_FAIL);
	arc_field_parse(ARC_MESSAGE, STR(MESSAGE), &arena, &field);
	CHECK(field.signature.name_count == 2 && !field.has_cv);
	CHECK_STR(str_c(arc_cv_name(ARC_CV_NONE)), STR("none"));
}

TEST(arc_fields_are_known_by_their_names)
{
	enum arc_kind kind;

	CHECK(arc_kind_of(STR("arc-SEAL"), &kind) && kind == ARC_SEAL);
	CHECK(arc_kind_of(STR("ARC-Message-Signature"), &kind) && kind == ARC_MESSAGE);
	CHECK(arc_kind_of(STR("arc-authentication-results"), &kind));
	CHECK(kind == ARC_RESULTS);
	CHECK(!arc_kind_of(STR("ARC-Seals"), &kind));
}

TEST(a_comment_or_a_field_that_is_huge_is_no_arc_field)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf value = BUF(1 << 20);
	struct arc_field field;

	arena_init(&arena, 1 << 20);
	for (int i = 0; i < 100000; i++)
		buf_add_byte(&value, '(');
	arc_field_parse(ARC_RESULTS, buf_str(&value), &arena, &field);
	CHECK(field.flaw && field.instance == 0);
	buf_reset(&value);
	buf_add_c(&value, "i=1; ");
	while (value.len < ARC_RESULTS_BYTES_MAX)
		buf_add_c(&value, "(((");
	arc_field_parse(ARC_RESULTS, buf_str(&value), &arena, &field);
	CHECK(field.flaw && field.instance == 1);
	arc_field_parse(ARC_SEAL, buf_str(&value), &arena, &field);
	CHECK(field.flaw && field.instance == 0);
}
