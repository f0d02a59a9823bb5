#include "search/attached.h"

#include "base/test.h"
#include "wire/mail/mime.h"

static bool may_be(struct arena *arena, const char *header)
{
	SCOPED(buf_fini) struct buf mail = BUF(4096);

	arena_reset(arena);
	buf_printf(&mail, "%s\r\n\r\nx\r\n", header);
	return attached_may_be(mime_parse(arena, buf_str(&mail)).root);
}

TEST(documents_are_known_by_type_or_name)
{
	static const char *const good[] = {
		"Content-Type: application/pdf",
		"Content-Type: APPLICATION/PDF; name=x",
		"Content-Type: application/vnd.openxmlformats-officedocument."
		"wordprocessingml.document",
		"Content-Type: application/vnd.oasis.opendocument.spreadsheet",
		"Content-Type: application/vnd.ms-excel.sheet.macroEnabled.12",
		"Content-Type: application/octet-stream; name=\"a b.PDF\"",
		"Content-Type: application/octet-stream\r\n"
		"Content-Disposition: attachment; filename*=utf-8''r%C3%A4t%2Edocx",
		"Content-Type: application/x-zip\r\n"
		"Content-Disposition: attachment; "
		"filename=\"=?utf-8?q?r=C3=A4t=2Exlsx?=\"",
		"Content-Type: image/png; name=x.odt",
	};
	static const char *const bad[] = {
		"Content-Type: text/plain; name=x.pdf",
		"Content-Type: application/octet-stream",
		"Content-Type: application/octet-stream; name=pdf.exe",
		"Content-Type: application/octet-stream; name=\".\"",
		"Content-Type: application/octet-stream; name=\"x.pdf.\"",
		"Content-Type: application/zip; name=x.zip",
		"Content-Type: image/jpeg; name=x.jpg",
		"Content-Type: message/rfc822; name=x.pdf",
		"Content-Type: multipart/mixed; boundary=pdf; name=x.pdf",
	};
	SCOPED(arena_fini) struct arena arena;

	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < COUNT_OF(good); i++)
		CHECK(may_be(&arena, good[i]));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(!may_be(&arena, bad[i]));
}
