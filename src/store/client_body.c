/* Bodies: the frame in pages, decompressed here, within bounds whatever it says. */
#include "store/client.h"

#include "base/log.h"
#include "base/num.h"
#include "rt/offload.h"
#include "store/body_frame.h"

enum {
	THREAD_BYTES = 16 * 1024, /* less is unpacked before a thread has woken up */
	PIECE_BYTES = 64 * 1024,
	WINDOW_LOG_MAX = 23, /* 8 MB: what level 1 never needs, and little for a liar */
};

struct body_reader {
	struct talk talk;
	account_t account;
	struct message_ref ref;
	uint64_t frame_size, raw_size; /* as the first page said */
	uint64_t offset;               /* of the frame: where the next page begins */
	uint64_t given;                /* octets of the packed body so far */
	uint64_t packed_size;
	struct body_form form;
	struct str page; /* in talk.reply, until the next page */
	ZSTD_DCtx *zstd; /* NULL: not needed yet */
};

static void reader_begin(struct body_reader *r, struct store *store, account_t account,
			 struct message_ref ref)
{
	*r = (struct body_reader){.account = account, .ref = ref};
	talk_begin(&r->talk, store, TALK_READ);
}

static void reader_end(struct body_reader *r)
{
	struct store *store = r->talk.store;

	if (r->zstd && store->reader_count < SPARE_ZSTD)
		store->readers[store->reader_count++] = r->zstd;
	else
		ZSTD_freeDCtx(r->zstd);
	talk_end(&r->talk);
}

static ZSTD_DCtx *reader_zstd(struct body_reader *r)
{
	struct store *store = r->talk.store;

	if (r->zstd)
		return r->zstd;
	if (store->reader_count > 0)
		r->zstd = store->readers[--store->reader_count];
	else
		r->zstd = ZSTD_createDCtx();
	ASSERT(r->zstd);
	(void)ZSTD_DCtx_reset(r->zstd, ZSTD_reset_session_only); /* cannot fail */
	(void)ZSTD_DCtx_setParameter(r->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	return r->zstd;
}

static enum store_outcome damaged(const struct body_reader *r)
{
	LOG(ERROR, "body damaged", KV_INT("account", r->account),
	    KV_INT("message", r->ref.message));
	return STORE_DAMAGED;
}

/* Takes the head off the first page. */
static enum store_outcome take_form(struct body_reader *r)
{
	if (!body_form_read(r->page, &r->form) ||
	    !body_form_packed(&r->form, r->raw_size, &r->packed_size))
		return damaged(r);
	r->page = str_skip(r->page, r->form.head_len);
	return STORE_OK;
}

static enum store_outcome next_page(struct body_reader *r)
{
	struct store_request request = {.call = CALL_BODY, .account = r->account};
	struct talk *talk = &r->talk;

	request.body.ref = r->ref;
	request.body.offset = r->offset;
	request.body.room = BODY_PAGE_BYTES;
	talk->is_over = false;
	talk->deadline = deadline_s(CALL_WAIT_S); /* a slow taker is not the store */
	enum store_outcome outcome = talk_read(talk, &request);

	if (outcome != STORE_OK)
		return outcome;
	uint64_t frame_size = dec_u64(&talk->dec), raw_size = dec_u64(&talk->dec);

	r->page = talk->dec.rest;
	if (r->offset == 0) {
		r->frame_size = frame_size;
		r->raw_size = raw_size;
	}
	if (!dec_ok(&talk->dec) || frame_size != r->frame_size ||
	    raw_size != r->raw_size || raw_size > STORE_BODY_BYTES_MAX ||
	    r->page.len == 0 || r->page.len > frame_size - r->offset)
		return damaged(r);
	bool is_first = r->offset == 0;

	r->offset += r->page.len;
	return is_first ? take_form(r) : STORE_OK;
}

/* Decompresses what is there of the page into the room; *is_dry if the page is used up.
 */
static enum store_outcome unpack(struct body_reader *r, size_t *used, char *room,
				 size_t len, size_t *made)
{
	ZSTD_inBuffer in = {r->page.ptr, r->page.len, *used};
	ZSTD_outBuffer out = {room, len, 0};
	size_t hint = ZSTD_decompressStream(reader_zstd(r), &out, &in);

	*used = in.pos;
	*made = out.pos;
	r->given += out.pos;
	if (ZSTD_isError(hint) || r->given > r->packed_size)
		return damaged(r);
	/* At the frame's end, nothing may follow and nothing may be missing. */
	if (hint == 0 &&
	    (r->given != r->packed_size || in.pos < in.size || r->offset < r->frame_size))
		return damaged(r);
	if (hint > 0 && in.pos == in.size && out.pos < out.size &&
	    r->offset == r->frame_size)
		return damaged(r);
	return STORE_OK;
}

/* The frame from its first page on, straight into the room for all of it. */
static enum store_outcome read_paged(struct body_reader *r, char *room)
{
	enum store_outcome outcome = STORE_OK;
	size_t used = 0, made;

	while (outcome == STORE_OK) {
		outcome = unpack(r, &used, room + r->given, r->packed_size - r->given,
				 &made);
		if (outcome != STORE_OK || used < r->page.len)
			continue;
		if (r->offset == r->frame_size)
			break;
		outcome = next_page(r);
		used = 0;
	}
	if (outcome == STORE_OK && r->given != r->packed_size)
		outcome = damaged(r);
	return outcome;
}

enum store_outcome store_body(struct store *store, account_t account,
			      struct message_ref ref, struct buf *body)
{
	struct body_reader r;

	reader_begin(&r, store, account, ref);
	enum store_outcome outcome = next_page(&r);
	char *room = outcome == STORE_OK ? buf_room(body, r.raw_size) : NULL;
	char *packed = room ? room + (r.raw_size - r.packed_size) : NULL;

	if (outcome == STORE_OK && r.raw_size > 0 && !room)
		outcome = STORE_INVALID;
	else if (outcome == STORE_OK && r.offset < r.frame_size)
		outcome = read_paged(&r, packed);
	else if (outcome == STORE_OK &&
		 ZSTD_decompressDCtx(reader_zstd(&r), packed, r.packed_size, r.page.ptr,
				     r.page.len) != r.packed_size)
		outcome = damaged(&r);
	if (outcome == STORE_OK) {
		body_form_expand(&r.form, room, r.raw_size, r.packed_size);
		buf_grew(body, r.raw_size);
	}
	reader_end(&r);
	return outcome;
}

/* The next of several bodies in the reply. */
static enum store_outcome next_of_several(struct body_reader *r, struct buf *body)
{
	struct dec *dec = &r->talk.dec;
	enum store_outcome outcome =
		(enum store_outcome)dec_var_max(dec, STORE_UNAVAILABLE);

	if (outcome != STORE_OK || !dec_ok(dec))
		return outcome;
	r->raw_size = dec_var_max(dec, STORE_BODY_BYTES_MAX);
	struct str frame = dec_str(dec);
	char *room = dec_ok(dec) ? buf_room(body, r->raw_size) : NULL;

	if (!room) /* an empty one too: it is nothing to read ahead */
		return STORE_INVALID;
	if (!frame_unpack(reader_zstd(r), frame, room, r->raw_size))
		return damaged(r);
	buf_grew(body, r->raw_size);
	return STORE_OK;
}

struct several {
	struct body_reader *reader;
	const struct message_ref *refs;
	size_t count;
	struct buf *bodies;
	enum store_outcome *outcomes;
};

static void unpack_several(void *arg)
{
	const struct several *several = arg;
	struct body_reader *r = several->reader;

	for (size_t i = 0; i < several->count; i++) {
		r->ref = several->refs[i];
		several->outcomes[i] = next_of_several(r, &several->bodies[i]);
	}
}

/* While a thread unpacks, the loop sends what was unpacked before. */
enum store_outcome store_bodies(struct store *store, account_t account,
				const struct message_ref *refs, size_t count,
				struct buf *bodies, enum store_outcome *outcomes)
{
	struct store_request request = {.call = CALL_BODIES, .account = account};
	struct body_reader r;
	struct several several = {&r, refs, count, bodies, outcomes};

	request.bodies.refs = refs;
	request.bodies.count = count;
	reader_begin(&r, store, account, (struct message_ref){0});
	enum store_outcome outcome = talk_read(&r.talk, &request);

	if (outcome == STORE_OK) {
		(void)reader_zstd(&r); /* the loop's, before a thread needs it */
		if (r.talk.dec.rest.len < THREAD_BYTES)
			unpack_several(&several);
		else
			offload(unpack_several, &several);
	}
	if (outcome == STORE_OK && !dec_done(&r.talk.dec))
		outcome = damaged(&r);
	reader_end(&r);
	return outcome;
}

/* Where the octets of store_body_each() go. */
struct taker {
	bool (*take)(void *arg, struct str piece);
	void *arg;
	bool is_wanted;
	struct body_expander expander;
	struct buf piece, body; /* packed, and as they were */
};

static void give(struct taker *t, struct str piece)
{
	if (t->expander.form->count > 0) {
		buf_reset(&t->body);
		body_expand(&t->expander, piece, &t->body);
		ASSERT(buf_ok(&t->body));
		piece = buf_str(&t->body);
	}
	if (piece.len > 0)
		t->is_wanted = t->take(t->arg, piece);
}

/* Gives the page's octets to the taker, in pieces. */
static enum store_outcome give_page(struct body_reader *r, struct taker *t)
{
	size_t used = 0, made = 0;

	while (t->is_wanted && (used < r->page.len || made == PIECE_BYTES)) {
		enum store_outcome outcome = unpack(
			r, &used, buf_room(&t->piece, PIECE_BYTES), PIECE_BYTES, &made);

		if (outcome != STORE_OK)
			return outcome;
		if (made > 0)
			give(t, (struct str){t->piece.ptr, made});
		if (r->given == r->packed_size && used == r->page.len)
			break;
	}
	return STORE_OK;
}

enum store_outcome store_body_each(struct store *store, account_t account,
				   struct message_ref ref,
				   bool (*take)(void *arg, struct str), void *arg)
{
	struct body_reader r;
	struct taker taker = {.take = take, .arg = arg, .is_wanted = true};
	enum store_outcome outcome;

	taker.piece = BUF(PIECE_BYTES);
	taker.body = BUF(BODY_EXPANDED(PIECE_BYTES));
	taker.expander.form = &r.form;
	reader_begin(&r, store, account, ref);
	do {
		outcome = next_page(&r);
		if (outcome == STORE_OK)
			outcome = give_page(&r, &taker);
	} while (outcome == STORE_OK && taker.is_wanted && r.offset < r.frame_size);
	if (outcome == STORE_OK && taker.is_wanted && r.given != r.packed_size)
		outcome = damaged(&r);
	buf_fini(&taker.piece);
	buf_fini(&taker.body);
	reader_end(&r);
	return outcome;
}
