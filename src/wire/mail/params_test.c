#include "wire/mail/params.h"

#include "base/buf.h"
#include "base/test.h"

/* type/subtype, then name=value of each parameter, one a line. */
static const struct {
	struct str value, want;
} cases[] = {
	{STR(" text/plain"), STR("text/plain\n")},
	{STR("text/plain; charset=us-ascii (Plain text)"),
	 STR("text/plain\ncharset=us-ascii\n")},
	{STR("TEXT/Html;\r\n\tcharset=\"iso-8859-1\" ; format=flowed;"),
	 STR("TEXT/Html\ncharset=iso-8859-1\nformat=flowed\n")},
	{STR("multipart/mixed; boundary=\"a \\\"b\\\\\r\n c\""),
	 STR("multipart/mixed\nboundary=a \"b\\ c\n")},
	{STR("a/b; name=\"x\\\r\n y\\\nz\""), STR("a/b\nname=x yz\n")},
	{STR("(a)text(b)/(c)plain(d);(e)a(f)=(g)b (h)"), STR("text/plain\na=b\n")},
	{STR("text/plain charset=utf-8 format=flowed"), /* NO_SEMICOLON */
	 STR("text/plain\ncharset=utf-8\nformat=flowed\n")},
	{STR("text/plain;;; ; charset=utf-8;;"), STR("text/plain\ncharset=utf-8\n")},
	{STR("a/b; name=my file (1).pdf; x=y"), STR("a/b\nname=my file\nx=y\n")},
	{STR("a/b; name=my file[1].pdf; x=y"), STR("a/b\nname=my file[1].pdf\nx=y\n")},
	{STR("a/b; name=\"my file; x=y"), STR("a/b\nname=my file; x=y\n")},
	{STR("a/b; name; x=y"), STR("a/b\nx=y\n")},
	{STR("a/b; x=; y=\"\""), STR("a/b\nx=\ny=\n")},
	{STR("a/b; =c; x=y"), STR("a/b\nx=y\n")},
	{STR("text"), STR("")},
	{STR("/plain"), STR("")},
	{STR("text/"), STR("")},
	{STR(""), STR("")},
};

TEST(content_types_are_read_as_they_come)
{
	struct buf buf = BUF(1000);
	struct arena arena;

	arena_init(&arena, 100000);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct mail_content_type ct;

		buf_reset(&buf);
		if (mail_content_type_parse(&arena, cases[i].value, &ct)) {
			buf_printf(&buf, "%.*s/%.*s\n", STR_FMT(ct.type),
				   STR_FMT(ct.subtype));
			for (size_t p = 0; p < ct.params.count; p++)
				buf_printf(&buf, "%.*s=%.*s\n",
					   STR_FMT(ct.params.items[p].name),
					   STR_FMT(ct.params.items[p].value));
		}
		CHECK_STR(buf_str(&buf), cases[i].want);
	}
	arena_fini(&arena);
	buf_fini(&buf);
}

static const struct {
	struct str value, name, want, charset;
} found[] = {
	{STR("attachment; filename=a.txt"), STR("filename"), STR("a.txt"), STR("")},
	{STR("attachment; FileName*=utf-8''%e2%82%AC%20rates"), STR("filename"),
	 STR("\xe2\x82\xac rates"), STR("utf-8")},
	{STR("attachment; filename=EURO; filename*=utf-8'en'%e2%82%ac"), STR("filename"),
	 STR("\xe2\x82\xac"), STR("utf-8")},
	/* RFC 2231 §3, §4.1 */
	{STR("x; URL*0=\"ftp://\"; URL*1=\"cs.utk.edu/pub/moore/\""), STR("url"),
	 STR("ftp://cs.utk.edu/pub/moore/"), STR("")},
	{STR("x; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\";"
	     "title*0*=us-ascii'en'This%20is%20even%20more%20"),
	 STR("title"), STR("This is even more ***fun*** isn't it!"), STR("us-ascii")},
	{STR("x; a*=''b%2"), STR("a"), STR("b%2"), STR("")},
	{STR("x; a*=plain"), STR("a"), STR("plain"), STR("")},
	{STR("x; a*0=b; a*2=c"), STR("a"), STR("b"), STR("")},
	{STR("x; a*=iso'en'"), STR("a"), STR(""), STR("iso")},
};

TEST(parameters_are_put_together_by_rfc_2231)
{
	struct arena arena;

	arena_init(&arena, 100000);
	for (size_t i = 0; i < COUNT_OF(found); i++) {
		struct mail_disposition d;
		struct str value = STR("?"), charset;

		CHECK(mail_disposition_parse(&arena, found[i].value, &d));
		CHECK(mail_param_find(&arena, &d.params, found[i].name, &value,
				      &charset));
		CHECK_STR(value, found[i].want);
		CHECK_STR(charset, found[i].charset);
		CHECK(!mail_param_find(&arena, &d.params, STR("other"), &value,
				       &charset));
	}
	arena_fini(&arena);
}
