#include "fetch/codec.h"

#include "base/test.h"

TEST(requests_arrive_as_they_were_sent)
{
	SCOPED(buf_fini) struct buf body = BUF(10000);
	const struct fetch_request sent = {
		.url = STR("https://mta-sts.example.org:8443/.well-known/mta-sts.txt"),
		.addresses = {STR("192.0.2.1"), STR("2001:db8::1")},
		.address_count = 2,
		.is_post = true,
		.body = STR("x"),
		.media_type = STR("application/tlsrpt+gzip"),
		.reply_max = 5,
		.timeout_s = 60,
	};
	struct fetch_request got;

	fetch_encode_request(&body, &sent);
	CHECK(fetch_decode_request(buf_str(&body), &got));
	CHECK_STR(got.url, sent.url);
	CHECK_STR(got.host, STR("mta-sts.example.org"));
	CHECK(got.port == 8443 && got.is_post && got.address_count == 2);
	CHECK_STR(got.addresses[1], sent.addresses[1]);
	CHECK_STR(got.media_type, sent.media_type);
	for (size_t i = 0; i < body.len; i++)
		CHECK(!fetch_decode_request(str_first(buf_str(&body), i), &got));
}

TEST(only_names_after_https_are_fetched_from)
{
	static const char *const bad[] = {
		"http://a.example/",
		"https://",
		"https:///x",
		"https://192.0.2.1/",
		"https://[2001:db8::1]/",
		"https://user@a.example/",
		"https://a.example:0/",
		"https://a.example:65536/",
		"https://a.example:/",
		"https://a.example/x y",
		"https://a.example/\r\n",
		"https://a_b.example/",
		"file:///etc/passwd",
	};
	struct str host;
	uint16_t port;

	CHECK(fetch_url_split(STR("HTTPS://A.example?x"), &host, &port) && port == 443);
	CHECK_STR(host, STR("A.example"));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(!fetch_url_split(str_c(bad[i]), &host, &port));
}

TEST(replies_arrive_as_they_were_sent)
{
	SCOPED(buf_fini) struct buf body = BUF(10000);
	const struct fetch_reply sent = {.outcome = FETCH_UNTRUSTED,
					 .status = 404,
					 .media_type = STR("text/plain"),
					 .body = STR("no"),
					 .why = STR("why")};
	struct fetch_reply got;

	fetch_encode_reply(&body, &sent);
	CHECK(fetch_decode_reply(buf_str(&body), &got));
	CHECK(got.outcome == FETCH_UNTRUSTED && got.status == 404);
	CHECK_STR(got.why, STR("why"));
	for (size_t i = 0; i < body.len; i++)
		CHECK(!fetch_decode_reply(str_first(buf_str(&body), i), &got));
}
