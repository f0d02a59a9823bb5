#include "store/body_frame.h"

#include "store/codec.h"
#include "store/words.h"

enum {
	ZSTD_LEVEL = 1, /* level 3 takes twice the time for a hundredth less */
	/* Whatever the length: large bodies have less than with the level's own. */
	MATCH_MIN = 5,
	HASH_LOG = 15,
	/* Above it zstd copies the words' table, which takes half as long again. */
	WORDS_MAX = 8 * 1024,
	FLUSH_BYTES = 16, /* what ending a block early may cost */
};

static void next_text(struct frame_maker *m)
{
	bool is_last = m->run == m->form.count;

	m->in_run = false;
	m->piece = is_last ? m->rest : str_first(m->rest, m->form.runs[m->run].text);
	m->rest = str_skip(m->rest, m->piece.len);
}

static void next_run(struct frame_maker *m)
{
	const struct body_run *run = &m->form.runs[m->run];

	m->in_run = true;
	m->piece = str_first(str_skip(buf_str(&m->decoded), m->decoded_at), run->len);
	m->decoded_at += run->len;
	m->rest = str_skip(m->rest, body_run_size(run));
}

void frame_maker_begin(struct frame_maker *m, ZSTD_CCtx *zstd, struct str raw)
{
	uint64_t packed_size;

	*m = (struct frame_maker){
		.zstd = zstd, .rest = raw, .decoded = BUF(BODY_DECODED_MAX)};
	body_form_find(raw, &m->form, &m->decoded);
	ASSERT(body_form_packed(&m->form, raw.len, &packed_size));
	/* None of these can fail. */
	(void)ZSTD_CCtx_reset(zstd, ZSTD_reset_session_and_parameters);
	(void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
	(void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_minMatch, MATCH_MIN);
	(void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_hashLog, HASH_LOG);
	(void)ZSTD_CCtx_refCDict(zstd, packed_size <= WORDS_MAX ? words_packer() : NULL);
	(void)ZSTD_CCtx_setPledgedSrcSize(zstd, packed_size);
	next_text(m);
}

static size_t head_make(struct frame_maker *m, char *room, size_t len)
{
	struct buf head = BUF(BODY_HEAD_MAX);

	body_form_add(&head, &m->form);
	ASSERT(buf_ok(&head) && head.len <= len);
	if (head.len > 0)
		memcpy(room, head.ptr, head.len);
	m->form.head_len = head.len;
	buf_fini(&head);
	return m->form.head_len;
}

/* A block ends where text or a run does: what compresses and what does not keep their
 * statistics to themselves. */
size_t frame_make(struct frame_maker *m, char *room, size_t len)
{
	ZSTD_outBuffer out = {room, len, 0};

	if (m->form.count > 0 && m->form.head_len == 0)
		out.pos = head_make(m, room, len);
	while (out.pos < out.size && !m->is_done) {
		bool is_last = m->run == m->form.count;
		ZSTD_inBuffer in = {m->piece.ptr, m->piece.len, 0};
		size_t left = ZSTD_compressStream2(m->zstd, &out, &in,
						   is_last ? ZSTD_e_end : ZSTD_e_flush);

		ASSERT(!ZSTD_isError(left));
		m->piece = str_skip(m->piece, in.pos);
		if (left > 0 || m->piece.len > 0)
			continue;
		if (is_last) {
			m->is_done = true;
		} else if (m->in_run) {
			m->run++;
			next_text(m);
		} else {
			next_run(m);
		}
	}
	return out.pos;
}

void frame_maker_end(struct frame_maker *m)
{
	buf_fini(&m->decoded);
}

size_t frame_bound(size_t raw_size)
{
	return ZSTD_compressBound(raw_size) + BODY_HEAD_MAX +
	       (size_t)2 * BODY_RUNS_MAX * FLUSH_BYTES;
}

bool frame_fits(struct str frame, uint64_t raw_size)
{
	struct body_form form;
	uint64_t packed_size;

	if (raw_size > STORE_BODY_BYTES_MAX || frame.len > STORE_BODY_BYTES_MAX ||
	    !body_form_read(frame, &form) ||
	    !body_form_packed(&form, raw_size, &packed_size))
		return false;
	frame = str_skip(frame, form.head_len);
	return ZSTD_getFrameContentSize(frame.ptr, frame.len) == packed_size &&
	       ZSTD_findFrameCompressedSize(frame.ptr, frame.len) == frame.len;
}

bool frame_unpack(ZSTD_DCtx *zstd, struct str frame, char *room, size_t raw_size)
{
	struct body_form form;
	uint64_t packed_size;

	if (!body_form_read(frame, &form) ||
	    !body_form_packed(&form, raw_size, &packed_size))
		return false;
	frame = str_skip(frame, form.head_len);
	if (ZSTD_decompressDCtx(zstd, room + (raw_size - packed_size), packed_size,
				frame.ptr, frame.len) != packed_size)
		return false;
	body_form_expand(&form, room, raw_size, packed_size);
	return true;
}
