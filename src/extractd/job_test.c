#include "extractd/job.h"

#include "base/test.h"

/* A document that is XML in an archive without its sums, packed by nothing. */
static void add_archive(struct buf *out, struct str xml)
{
	static const struct str name = {"word/document.xml", 17};
	struct buf head = BUF(64);

	buf_add(&head, STR("\24\0\0\0\0\0\0\0\0\0\0\0\0\0"));
	for (unsigned i = 0; i < 8; i++)
		buf_add_byte(&head, (char)(unsigned char)(xml.len >> 8 * (i % 4)));
	buf_add(&head, STR("\21\0\0\0"));
	buf_add(out, STR("PK\3\4"));
	buf_add(out, buf_str(&head));
	buf_add(out, name);
	buf_add(out, xml);
	size_t directory = out->len;

	buf_add(out, STR("PK\1\2\24\0"));
	buf_add(out, buf_str(&head));
	buf_add(out, STR("\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
	buf_add(out, name);
	buf_add(out, STR("PK\5\6\0\0\0\0\1\0\1\0\77\0\0\0"));
	for (unsigned i = 0; i < 4; i++)
		buf_add_byte(out, (char)(unsigned char)(directory >> 8 * i));
	buf_add(out, STR("\0\0"));
	buf_fini(&head);
}

static void run(struct job *job, struct str xml, struct extract_bounds bounds)
{
	struct buf archive = BUF(4 << 20);

	add_archive(&archive, xml);
	job_begin(job, archive.len, &bounds);
	buf_add(&job->document, buf_str(&archive));
	job_run(job);
	buf_fini(&archive);
}

TEST(a_job_gives_the_text_and_counts_its_words)
{
	struct job job;

	job_init(&job);
	run(&job, STR("<d><p><t>one two ONE two-three</t></p></d>"),
	    (struct extract_bounds){1000, 100, 1000});
	CHECK(job.reply.outcome == EXTRACT_TEXT);
	CHECK_STR(buf_str(&job.text), STR("one two ONE two-three\n"));
	CHECK(job.reply.words == 3 && job.reply.word_bytes == 11);
	run(&job, STR("<d/>"), (struct extract_bounds){1000, 100, 1000});
	CHECK(job.reply.outcome == EXTRACT_TEXT && job.text.len == 0);
	job_begin(&job, 3, &(struct extract_bounds){1000, 100, 1000});
	buf_add(&job.document, STR("GIF"));
	job_run(&job);
	CHECK(job.reply.outcome == EXTRACT_NONE && job.text.len == 0);
	job_fini(&job);
}

TEST(a_job_ends_where_its_bounds_are)
{
	struct buf xml = BUF(2 << 20);
	struct job job;

	job_init(&job);
	buf_add_c(&xml, "<d><p><t>");
	for (unsigned i = 0; i < 100000; i++)
		buf_printf(&xml, "w%u ", i);
	buf_add_c(&xml, "</t></p></d>");
	run(&job, buf_str(&xml), (struct extract_bounds){1 << 20, 5000, 1 << 20});
	CHECK(job.reply.words > 3000 && job.reply.words <= 5000);
	CHECK(job.text.len > 0 && job.text.ptr[job.text.len - 1] == ' ');
	run(&job, buf_str(&xml), (struct extract_bounds){1 << 20, 100000, 20000});
	CHECK(job.reply.word_bytes > 15000 && job.reply.word_bytes <= 20000);
	run(&job, buf_str(&xml), (struct extract_bounds){5001, 100000, 1 << 20});
	CHECK(job.text.len == 5001);
	run(&job, buf_str(&xml), (struct extract_bounds){1 << 20, 0, 1 << 20});
	CHECK(job.text.len == 0 && job.reply.words == 0);
	buf_reset(&xml);
	buf_add_c(&xml, "<d><p><t>");
	for (unsigned i = 0; i < 100000; i++)
		buf_add_c(&xml, "\u65e5"); /* no spaces at all */
	buf_add_c(&xml, "</t></p></d>");
	run(&job, buf_str(&xml), (struct extract_bounds){10000, 100, 10000});
	CHECK(job.text.len > 9000 && job.text.len <= 10000 && job.text.len % 3 == 0);
	buf_fini(&xml);
	job_fini(&job);
}
