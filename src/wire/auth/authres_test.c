#include "wire/auth/authres.h"

#include "base/test.h"

static struct arena arena;

static struct authres read(const char *value)
{
	struct authres authres;

	arena_reset(&arena);
	CHECK(authres_parse(str_c(value), &arena, &authres));
	return authres;
}

TEST(a_field_of_rfc_8601_is_read)
{
	arena_init(&arena, 1024 * 1024);
	/* RFC 8601 appendix B.5 and B.7, mixed */
	struct authres authres = read(
		" foo.example.net (foobar) 1 (baz);\r\n"
		"    dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n"
		"      policy (A dot can go here) . (like that) expired\r\n"
		"      (this surprised me) = (as I wasn't expecting it) 1362471462;\r\n"
		"\tspf=pass reason=\"it \\\"said\\\" so\" smtp.mailfrom=ann@example.com "
		"smtp.helo=mx.example.com (x;y);\r\n"
		"\tdkim=pass header.i=@mail.example.com header.b=\"ab/c+d=\"");

	CHECK_STR(authres.id, STR("foo.example.net"));
	CHECK(authres.version == 1 && authres.count == 3 && !authres.is_partial);
	CHECK_STR(authres.results[0].method, STR("dkim"));
	CHECK_STR(authres.results[0].result, STR("fail"));
	CHECK_STR(authres_value(&authres.results[0], "policy", "expired"),
		  STR("1362471462"));
	CHECK_STR(authres.results[1].reason, STR("it \"said\" so"));
	CHECK_STR(authres_value(&authres.results[1], "SMTP", "MailFrom"),
		  STR("ann@example.com"));
	CHECK_STR(authres_value(&authres.results[1], "smtp", "helo"),
		  STR("mx.example.com"));
	CHECK_STR(authres_value(&authres.results[1], "smtp", "other"), STR(""));
	CHECK_STR(authres_value(&authres.results[2], "header", "i"),
		  STR("@mail.example.com"));
	CHECK_STR(authres_value(&authres.results[2], "header", "b"), STR("ab/c+d="));
	arena_fini(&arena);
}

static const struct {
	const char *value, *id;
	size_t count;
	bool is_partial;
} fields[] = {
	{"a.example; none", "a.example", 0, false},
	{"a.example", "a.example", 0, false},
	{"a.example 1; none", "a.example", 0, false},
	{"\"a b\"; spf=pass", "a b", 1, false},
	{"a.example; spf=pass; ;", "a.example", 1, false}, /* EMPTY_RESULT */
	/* BARE_VALUE */
	{"a.example; dkim=pass header.b=a/b+c= header.s=x", "a.example", 1, false},
	{"a.example; spf=pass smtp.mailfrom=\"joe doe\"@b.example", "a.example", 1,
	 false},
	{"a.example; spf=pass smtp.mailfrom=prvs=1=joe@b.example", "a.example", 1, false},
	{"a.example; x=y a . b = c; z=z", "a.example", 2, false},
	/* WRONG_RESULT */
	{"a.example; ???; spf=pass", "a.example", 1, true},
	{"a.example; spf=pass smtp.mailfrom", "a.example", 0, true},
	{"a.example; spf/2=pass", "a.example", 0, true},
	{"a.example; spf/x=pass; dkim=fail", "a.example", 1, true},
	{"a.example; spf=pass smtp.mailfrom=; dkim=fail", "a.example", 1, true},
	{"a.example; spf=pass .x=y", "a.example", 0, true},
	{"a.example; spf=pass x.=y", "a.example", 0, true},
	{"a.example; spf=pass reason=\"open; dkim=fail", "a.example", 1, true},
	{"a.example; spf=pass (open; dkim=fail", "a.example", 1, false},
};

TEST(fields_that_exist_are_read)
{
	arena_init(&arena, 1024 * 1024);
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		struct authres authres = read(fields[i].value);

		CHECK_STR(authres.id, str_c(fields[i].id));
		CHECK(authres.count == fields[i].count);
		CHECK(authres.is_partial == fields[i].is_partial);
	}
	CHECK_STR(authres_value(&read(fields[5].value).results[0], "header", "b"),
		  STR("a/b+c="));
	CHECK_STR(authres_value(&read(fields[6].value).results[0], "smtp", "mailfrom"),
		  STR("\"joe doe\"@b.example"));
	CHECK_STR(authres_value(&read(fields[8].value).results[0], "a", "b"), STR("c"));
	arena_fini(&arena);
}

TEST(fields_of_nobody_are_refused)
{
	static const char *const wrong[] = {"",       ";",     " (x) ",       "spf=pass",
					    "\"open", "a b c", "a 1 2; none", "a 1x"};
	struct authres authres;

	arena_init(&arena, 1024 * 1024);
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		CHECK(!authres_parse(str_c(wrong[i]), &arena, &authres));
	arena_fini(&arena);
}

TEST(what_claims_to_be_ours_has_to_go)
{
	arena_init(&arena, 1024 * 1024);
	CHECK(authres_claims(STR(" MX.example; spf=pass"), STR("mx.example"), &arena));
	CHECK(authres_claims(STR("(x)\"mx.example\" 1"), STR("mx.example"), &arena));
	CHECK(authres_claims(STR("mx.example; ?"), STR("mx.example"), &arena));
	CHECK(!authres_claims(STR("other.example; none"), STR("mx.example"), &arena));
	CHECK(authres_claims(STR("other.example 2; none"), STR("mx.example"), &arena));
	CHECK(authres_claims(STR("spf=pass"), STR("mx.example"), &arena));
	CHECK(authres_claims(STR(""), STR("mx.example"), &arena));
	arena_fini(&arena);
}

TEST(the_field_is_written_and_folded)
{
	struct buf buf = BUF(4096);
	struct authres_writer writer;

	authres_begin(&writer, &buf, STR("mx.example.org"));
	authres_add(&writer, "spf", "pass");
	authres_add_comment(&writer, STR("a (very) long  comment that does not fit into "
					 "one line, which is folded between words"));
	authres_add_property(&writer, "smtp", "mailfrom", STR("ann=x/y@example.com"));
	authres_add_property(&writer, "smtp", "helo", STR(""));
	authres_add(&writer, "dkim", "fail");
	authres_add_comment(&writer, STR(""));
	authres_add_reason(&writer, STR("body \"hash\"\r\nX: y"));
	authres_add_property(&writer, "header", "b", STR("ab/c=\x80"));
	authres_add_property(&writer, "smtp", "mailfrom", STR("\"joe doe\"@b.example"));
	authres_add_property(&writer, "smtp", "mailfrom", STR("\"joe\r\n\"@b.example"));
	authres_end(&writer);
	CHECK_STR(buf_str(&buf),
		  STR("Authentication-Results: mx.example.org;\r\n"
		      "\tspf=pass (a \\(very\\) long comment that does not fit into one "
		      "line,\r\n\twhich is folded between words) "
		      "smtp.mailfrom=ann=x/y@example.com;\r\n"
		      "\tdkim=fail reason=\"body \\\"hash\\\"??X: y\" "
		      "header.b=\"ab/c=?\"\r\n"
		      "\tsmtp.mailfrom=\"joe doe\"@b.example "
		      "smtp.mailfrom=\"\\\"joe??\\\"@b.example\"\r\n"));
	buf_reset(&buf);
	authres_begin(&writer, &buf, STR("a b"));
	authres_end(&writer);
	CHECK_STR(buf_str(&buf), STR("Authentication-Results: \"a b\"; none\r\n"));
	buf_reset(&buf);
	authres_begin(&writer, &buf, STR("a@b"));
	authres_end(&writer);
	CHECK_STR(buf_str(&buf), STR("Authentication-Results: \"a@b\"; none\r\n"));
	buf_fini(&buf);
}

TEST(results_have_bounds)
{
	struct buf text = BUF(1024 * 1024), value = BUF(4096), out = BUF(4096);
	struct authres_writer writer;
	struct authres authres;

	arena_init(&arena, 1024 * 1024);
	buf_add_c(&text, "a.example");
	for (size_t i = 0; i <= AUTHRES_RESULTS_MAX; i++)
		buf_add_c(&text, "; spf=pass");
	CHECK(authres_parse(buf_str(&text), &arena, &authres));
	CHECK(authres.count == AUTHRES_RESULTS_MAX && authres.is_partial);
	while (text.len <= AUTHRES_BYTES_MAX)
		buf_add_byte(&text, ' ');
	CHECK(!authres_parse(buf_str(&text), &arena, &authres));
	CHECK(read("a; x=y a.a=1 a.b=1 a.c=1 a.d=1 a.e=1 a.f=1 a.g=1 a.h=1 a.i=1 a.j=1 "
		   "a.k=1 a.l=1 a.m=1 a.n=1 a.o=1 a.p=1 a.q=1")
		      .is_partial);
	while (value.len < 4 * AUTHRES_VALUE_MAX)
		buf_add_c(&value, "\xc3\xa4x");
	authres_begin(&writer, &out, STR("a"));
	authres_add(&writer, "x", "y");
	authres_add_property(&writer, "a", "b", buf_str(&value));
	CHECK(buf_ok(&out) && out.len < AUTHRES_VALUE_MAX + 50);
	buf_fini(&text);
	buf_fini(&value);
	buf_fini(&out);
	arena_fini(&arena);
}
