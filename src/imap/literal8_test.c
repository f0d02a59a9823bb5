#include "imap/literal8.h"

#include "base/test.h"

#define HEAD "Subject: x\r\nMIME-Version: 1.0\r\n"
#define NOT_THERE                                                                        \
	{                                                                                \
		NULL, 0                                                                  \
	}

static const struct {
	struct str message, kept;
} cases[] = {
	/* nothing to do */
	{STR(HEAD "\r\nhello\r\n"), STR(HEAD "\r\nhello\r\n")},
	{STR("Content-Transfer-Encoding: binary\r\n\r\n\xff"),
	 STR("Content-Transfer-Encoding: binary\r\n\r\n\xff")},
	/* the message's only part */
	{STR("A: b\r\nContent-Transfer-Encoding:\r\n binary\r\nC: d\r\n\r\n\0\1\2"),
	 STR("A: b\r\nContent-Transfer-Encoding: base64\r\nC: d\r\n\r\nAAEC\r\n")},
	/* one of two parts */
	{STR(HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n"
		  "--b\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\1\2\r\n--b--\r\n"),
	 STR(HEAD
	     "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n"
	     "--b\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n\r\n--b--\r\n")},
	/* where it cannot be */
	{STR(HEAD "\r\nhel\0lo\r\n"), NOT_THERE},
	{STR("Subject: \0\r\nContent-Transfer-Encoding: binary\r\n\r\n\0"), NOT_THERE},
	{STR("Content-Transfer-Encoding: base64\r\n\r\nAA\0A"), NOT_THERE},
};

TEST(literal8_is_kept_so_that_all_can_fetch_it)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		SCOPED(buf_fini) struct buf message = BUF(10000);

		buf_add(&message, cases[i].message);
		bool ok = literal8_encode(&message);

		CHECK(ok == (cases[i].kept.ptr != NULL));
		if (ok)
			CHECK_STR(buf_str(&message), cases[i].kept);
	}
}

TEST(literal8_keeps_its_bound)
{
	SCOPED(buf_fini) struct buf message = BUF(50);

	buf_add(&message,
		STR("Content-Transfer-Encoding: binary\r\n\r\n\0\0\0\0\0\0\0\0"));
	CHECK(buf_ok(&message));
	CHECK(!literal8_encode(&message));
}
