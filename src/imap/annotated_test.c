#include "imap/annotated.h"

#include "base/test.h"

enum { SELF = 42 };

static void add(struct annotated *annotated, uint64_t mailbox, const char *entry)
{
	struct change_row row = {.kind = CHANGE_ANNOTATION, .mailbox = mailbox};

	row.entry = str_c(entry);
	annotated_add(annotated, &row);
}

TEST(annotations_are_told_once_and_by_mailbox)
{
	SCOPED(annotated_fini) struct annotated annotated = {.self = SELF};
	struct session s = {.out = BUF(1000)};

	annotated_sort(&annotated);
	CHECK(annotated.count == 0);
	add(&annotated, 7, "s/comment");
	add(&annotated, 0, "p/0000002a/vendor/x");
	add(&annotated, 7, "p/0000002a/comment");
	add(&annotated, 7, "s/comment");
	add(&annotated, 9, "s/comment");
	add(&annotated, 7, "p/0000002b/comment"); /* somebody else's */
	add(&annotated, 7, "q/comment");
	add(&annotated, 7, "s/");
	annotated_sort(&annotated);
	CHECK(annotated.count == 4);
	CHECK(annotated_write(&s, &annotated, 0, STR("")) == 1);
	CHECK(annotated_skip(&annotated, 1) == 3);
	CHECK(annotated_write(&s, &annotated, 1, STR("INBOX")) == 3);
	CHECK(annotated_write(&s, &annotated, 3, STR("Lists")) == 4);
	CHECK_STR(buf_str(&s.out), STR("* METADATA \"\" \"/private/vendor/x\"\r\n"
				       "* METADATA \"INBOX\" \"/private/comment\" "
				       "\"/shared/comment\"\r\n"
				       "* METADATA \"Lists\" \"/shared/comment\"\r\n"));
	buf_fini(&s.out);
}
