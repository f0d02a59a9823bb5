#include "wire/mail/transfer.h"

#include "base/test.h"

static const struct {
	enum mail_transfer transfer;
	struct str body, want;
} decoded[] = {
	{MAIL_TRANSFER_QP, STR("a=3Db=\r\nc=C3=a4\r\n"), STR("a=bc\xc3\xa4\r\n")},
	{MAIL_TRANSFER_QP, STR("a \t\r\nb= \r\nc \nd=\n"), STR("a\r\nbc\nd")},
	{MAIL_TRANSFER_QP, STR("100% = =4 =XY =4G x="), STR("100% = =4 =XY =4G x")},
	{MAIL_TRANSFER_QP, STR("=20\r\n=0D=0A"), STR(" \r\n\r\n")},
	{MAIL_TRANSFER_QP, STR(""), STR("")},
	{MAIL_TRANSFER_QP, STR("a  "), STR("a")},
	{MAIL_TRANSFER_QP, STR("\xff\r\r\n"), STR("\xff\r\r\n")},
	{MAIL_TRANSFER_BASE64, STR("Zm9v\r\nYg==\r\n"), STR("foob")},
	{MAIL_TRANSFER_8BIT, STR("a=3D \r\n"), STR("a=3D \r\n")},
	{MAIL_TRANSFER_UNKNOWN, STR("a=3D \r\n"), STR("a=3D \r\n")},
};

TEST(bodies_are_decoded)
{
	struct buf buf = BUF(1000);

	for (size_t i = 0; i < COUNT_OF(decoded); i++) {
		buf_reset(&buf);
		mail_transfer_decode(decoded[i].transfer, decoded[i].body, &buf);
		CHECK_STR(buf_str(&buf), decoded[i].want);
	}
	buf_fini(&buf);
}

TEST(a_transfer_encoding_is_known_by_its_name)
{
	CHECK(mail_transfer_of(STR("")) == MAIL_TRANSFER_7BIT);
	CHECK(mail_transfer_of(STR(" Base64 (x)")) == MAIL_TRANSFER_BASE64);
	CHECK(mail_transfer_of(STR("QUOTED-PRINTABLE;")) == MAIL_TRANSFER_QP);
	CHECK(mail_transfer_of(STR("8bits")) == MAIL_TRANSFER_UNKNOWN);
	CHECK(mail_transfer_of(STR("x-uuencode")) == MAIL_TRANSFER_UNKNOWN);
	CHECK_STR(mail_transfer_name(MAIL_TRANSFER_QP), STR("quoted-printable"));
}

TEST(text_is_encoded_as_quoted_printable)
{
	struct buf buf = BUF(1000);

	mail_qp_add(&buf, STR("From me \n.\r\nb=\xc3\xa4\rx"));
	CHECK_STR(buf_str(&buf), STR("=46rom me=20\r\n=2E\r\nb=3D=C3=A4=0Dx"));
	buf_reset(&buf);
	mail_qp_add(&buf, STR("1234567890123456789012345678901234567890"
			      "123456789012345678901234567890123456"));
	CHECK(buf.len == 76);
	mail_qp_add(&buf, STR("1234567890123456789012345678901234567890"
			      "1234567890123456789012345678901234567"));
	CHECK(buf.len == 76 + 80 && buf.ptr[76 + 75] == '=');
	buf_reset(&buf);
	mail_qp_add(&buf, STR("1234567890123456789012345678901234567890"
			      "12345678901234567890123456789012345.From"));
	CHECK_STR(str_skip(buf_str(&buf), 75), STR("=\r\n=2EFrom"));
	buf_reset(&buf);
	mail_qp_add(&buf, STR("1234567890123456789012345678901234567890"
			      "12345678901234567890123456789012345From x"));
	CHECK_STR(str_skip(buf_str(&buf), 75), STR("=\r\n=46rom x"));
	buf_fini(&buf);
}
