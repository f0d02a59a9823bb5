#include "store/grant.h"

#include "base/test.h"

static const unsigned char key[GRANT_KEY_BYTES] = "a key of thirty-two octets, yes";
static const struct grant good = {7, GRANT_ALL, 3, 99, 1000, 5};

TEST(a_grant_comes_back_as_it_was_made)
{
	struct buf bytes = BUF(GRANT_BYTES);
	struct grant got;

	grant_make(key, &good, &bytes);
	CHECK(buf_ok(&bytes) && bytes.len == GRANT_BYTES);
	CHECK(grant_check(key, buf_str(&bytes), 3, 999, &got));
	CHECK(got.account == 7 && got.rights == GRANT_ALL && got.channel == 3);
	CHECK(got.session == 99 && got.expires_at == 1000 && got.generation == 5);
	buf_fini(&bytes);
}

TEST(a_grant_is_for_its_channel_and_time_only)
{
	struct buf bytes = BUF(GRANT_BYTES);
	struct grant got;

	grant_make(key, &good, &bytes);
	CHECK(!grant_check(key, buf_str(&bytes), 4, 999, &got));
	CHECK(!grant_check(key, buf_str(&bytes), 3, 1000, &got));
	buf_fini(&bytes);
}

TEST(a_changed_octet_spoils_a_grant)
{
	const unsigned char other[GRANT_KEY_BYTES] = "another key";
	struct buf bytes = BUF(GRANT_BYTES);
	struct grant got;

	grant_make(key, &good, &bytes);
	CHECK(!grant_check(other, buf_str(&bytes), 3, 1, &got));
	CHECK(!grant_check(key, str_first(buf_str(&bytes), GRANT_BYTES - 1), 3, 1, &got));
	for (size_t i = 0; i < GRANT_BYTES; i++) {
		bytes.ptr[i] = (char)(bytes.ptr[i] ^ 1);
		CHECK(!grant_check(key, buf_str(&bytes), 3, 1, &got));
		bytes.ptr[i] = (char)(bytes.ptr[i] ^ 1);
	}
	CHECK(grant_check(key, buf_str(&bytes), 3, 1, &got));
	buf_fini(&bytes);
}
