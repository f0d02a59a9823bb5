#include "extractd/job.h"

#include "base/hash.h"
#include "base/num.h"
#include "base/utf8.h"
#include "extractd/document.h"
#include "rt/panic.h"
#include "search/terms.h"
#include "text/casemap.h"

enum {
	CRC_SEED = 3,       /* other keys of the same octets begin otherwise */
	PIECE_BYTES = 4096, /* the text is cut behind one of these, or a little further */
	MAPPED_MAX = 1 << 20,
};

void job_init(struct job *job)
{
	*job = (struct job){.terms = terms_new()};
}

void job_fini(struct job *job)
{
	job_clear(job);
	terms_free(&job->terms);
}

void job_clear(struct job *job)
{
	buf_fini(&job->document);
	buf_fini(&job->text);
}

void job_begin(struct job *job, size_t size, const struct extract_bounds *bounds)
{
	job_clear(job);
	job->document = BUF(size);
	job->text = BUF(EXTRACT_TEXT_MAX);
	job->bounds = *bounds;
	job->reply = (struct extract_reply){.outcome = EXTRACT_NONE};
}

/* The front of the text, with whole characters and, unless it is all one, whole words. */
static struct str piece_of(struct str text)
{
	struct str piece = utf8_first(text, PIECE_BYTES);
	size_t len = piece.len;

	while (len < text.len && len > 0 && piece.ptr[len - 1] != ' ' &&
	       piece.ptr[len - 1] != '\n')
		len--;
	return len > 0 ? str_first(piece, len) : piece;
}

/* As much of the text as the bounds allow, piece by piece. */
static void cut(struct job *job)
{
	SCOPED(buf_fini) struct buf mapped = BUF(MAPPED_MAX);
	struct str rest = utf8_first(buf_str(&job->text), job->bounds.text_bytes);
	size_t kept = 0;

	terms_reset(job->terms);
	while (rest.len > 0) {
		struct str piece = piece_of(rest);
		struct terms_size size;

		buf_reset(&mapped);
		casemap_add(&mapped, piece);
		terms_add(job->terms, SEARCH_BODY, buf_str(&mapped));
		size = terms_size(job->terms);
		if (size.count > job->bounds.words ||
		    size.bytes > job->bounds.word_bytes || size.is_too_much)
			break;
		job->reply.words = (uint32_t)size.count;
		job->reply.word_bytes = (uint32_t)size.bytes;
		kept += piece.len;
		rest = str_skip(rest, piece.len);
	}
	buf_cut(&job->text, kept);
}

/* A text that is longer than the buffer is the front of it. */
static void read_document(struct job *job)
{
	job->reply.outcome = document_text(buf_str(&job->document), &job->text);
	if (job->reply.outcome != EXTRACT_TEXT)
		buf_cut(&job->text, 0);
	cut(job);
}

void job_run(void *arg)
{
	struct job *job = arg;
	struct str document = buf_str(&job->document);
	uint64_t key =
		(uint64_t)crc32c(CRC_SEED, document) << 32 | (uint32_t)document.len;

	job->reply = (struct extract_reply){.outcome = EXTRACT_CRASHED};
	if (panic_is_poison(key))
		return;
	panic_begin("extract", key);
	read_document(job);
	panic_end();
}
