/* Bodies: the frame in pages, decompressed here, within bounds whatever it says. */
#include "base/num.h"
#include "rt/offload.h"
#include "store/body_frame.h"
#include "store/body_pages.h"
#include "store/client.h"
#include "store/words.h"

enum {
	THREAD_BYTES = 16 * 1024, /* less is unpacked before a thread has woken up */
	PIECE_BYTES = 128 * 1024,
	WINDOW_LOG_MAX = 23, /* 8 MB: what level 1 never needs, and little for a liar */
};

struct body_reader {
	struct store *store;
	struct body_pages *pages;      /* borrowed */
	uint64_t frame_size, raw_size; /* as the first page said */
	uint64_t offset;               /* of the frame: where the next page begins */
	uint64_t given;                /* octets of the packed body so far */
	uint64_t packed_size;
	struct body_form form;
	struct str page; /* until the next page */
	ZSTD_DCtx *zstd; /* NULL: not needed yet */
};

static void zstd_give(struct store *store, ZSTD_DCtx *zstd)
{
	if (zstd && store->reader_count < SPARE_ZSTD)
		store->readers[store->reader_count++] = zstd;
	else
		ZSTD_freeDCtx(zstd);
}

static ZSTD_DCtx *zstd_take(struct store *store)
{
	ZSTD_DCtx *zstd = store->reader_count > 0 ? store->readers[--store->reader_count]
						  : words_unpacker_new();

	(void)ZSTD_DCtx_reset(zstd, ZSTD_reset_session_only); /* cannot fail */
	(void)ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	return zstd;
}

static void reader_begin(struct body_reader *r, struct body_pages *pages)
{
	*r = (struct body_reader){.store = body_pages_store(pages), .pages = pages};
	store_use(r->store);
}

static void reader_end(struct body_reader *r)
{
	zstd_give(r->store, r->zstd);
	store_unuse(r->store);
}

static enum store_outcome damaged(const struct body_reader *r)
{
	return body_pages_damaged(r->pages);
}

/* The first page tells the sizes, and has the head in front. */
static enum store_outcome take_first(struct body_reader *r)
{
	r->frame_size = body_pages_frame_size(r->pages);
	r->raw_size = body_pages_raw_size(r->pages);
	if (!body_form_read(r->page, &r->form) ||
	    !body_form_packed(&r->form, r->raw_size, &r->packed_size))
		return damaged(r);
	r->page = str_skip(r->page, r->form.head_len);
	r->zstd = zstd_take(r->store);
	return STORE_OK;
}

static enum store_outcome next_page(struct body_reader *r)
{
	enum store_outcome outcome = body_pages_next(r->pages, &r->page);
	bool is_first = r->offset == 0;

	if (outcome != STORE_OK)
		return outcome;
	r->offset += r->page.len;
	return is_first ? take_first(r) : STORE_OK;
}

/* Decompresses what is there of the page into the room; *is_dry if the page is used up.
 */
static enum store_outcome unpack(struct body_reader *r, size_t *used, char *room,
				 size_t len, size_t *made)
{
	ZSTD_inBuffer in = {r->page.ptr, r->page.len, *used};
	ZSTD_outBuffer out = {room, len, 0};
	size_t hint = ZSTD_decompressStream(r->zstd, &out, &in);

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
		if (used == 0)
			body_pages_ahead(r->pages);
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
	struct body_pages *pages = body_pages_new(store, account, ref);
	struct body_reader r;

	reader_begin(&r, pages);
	enum store_outcome outcome = next_page(&r);
	char *room = outcome == STORE_OK ? buf_room(body, r.raw_size) : NULL;
	char *packed = room ? room + (r.raw_size - r.packed_size) : NULL;

	if (outcome == STORE_OK && r.raw_size > 0 && !room)
		outcome = STORE_INVALID;
	else if (outcome == STORE_OK && r.offset < r.frame_size)
		outcome = read_paged(&r, packed);
	else if (outcome == STORE_OK &&
		 ZSTD_decompressDCtx(r.zstd, packed, r.packed_size, r.page.ptr,
				     r.page.len) != r.packed_size)
		outcome = damaged(&r);
	if (outcome == STORE_OK) {
		body_form_expand(&r.form, room, r.raw_size, r.packed_size);
		buf_grew(body, r.raw_size);
	}
	reader_end(&r);
	body_pages_free(&pages);
	return outcome;
}

struct several {
	struct talk talk;
	account_t account;
	const struct message_ref *refs;
	size_t count;
	ZSTD_DCtx *zstd;
	struct buf *bodies;
	enum store_outcome *outcomes;
};

/* The next of several bodies in the reply. */
static enum store_outcome next_of_several(struct several *several, size_t at)
{
	struct dec *dec = &several->talk.dec;
	struct buf *body = &several->bodies[at];
	enum store_outcome outcome =
		(enum store_outcome)dec_var_max(dec, STORE_UNAVAILABLE);

	if (outcome != STORE_OK || !dec_ok(dec))
		return outcome;
	size_t raw_size = dec_var_max(dec, STORE_BODY_BYTES_MAX);
	struct str frame = dec_str(dec);
	char *room = dec_ok(dec) ? buf_room(body, raw_size) : NULL;

	if (!room) /* an empty one too: it is nothing to read ahead */
		return STORE_INVALID;
	if (!frame_unpack(several->zstd, frame, room, raw_size))
		return body_damaged(several->account, several->refs[at].message);
	buf_grew(body, raw_size);
	return STORE_OK;
}

static void unpack_several(void *arg)
{
	struct several *several = arg;

	for (size_t i = 0; i < several->count; i++)
		several->outcomes[i] = next_of_several(several, i);
}

/* While a thread unpacks, the loop sends what was unpacked before. */
enum store_outcome store_bodies(struct store *store, account_t account,
				const struct message_ref *refs, size_t count,
				struct buf *bodies, enum store_outcome *outcomes)
{
	struct store_request request = {.call = CALL_BODIES, .account = account};
	struct several several = {.account = account,
				  .refs = refs,
				  .count = count,
				  .bodies = bodies,
				  .outcomes = outcomes};
	struct talk *talk = &several.talk;

	request.bodies.refs = refs;
	request.bodies.count = count;
	talk_begin(talk, store, TALK_READ);
	enum store_outcome outcome = talk_read(talk, &request);

	if (outcome == STORE_OK) {
		several.zstd = zstd_take(store); /* before a thread needs it */
		if (talk->dec.rest.len < THREAD_BYTES)
			unpack_several(&several);
		else
			offload(unpack_several, &several);
	}
	zstd_give(store, several.zstd);
	if (outcome == STORE_OK && !dec_done(&talk->dec))
		outcome = body_damaged(account, refs[0].message);
	talk_end(talk);
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

/* Gives the page's octets to the taker, in pieces.  Who takes more than the first of the
 * body goes on, mostly. */
static enum store_outcome give_page(struct body_reader *r, struct taker *t)
{
	size_t used = 0, made = 0;
	bool is_ahead = r->given > 0;

	if (is_ahead)
		body_pages_ahead(r->pages);

	while (t->is_wanted && (used < r->page.len || made == PIECE_BYTES)) {
		enum store_outcome outcome = unpack(
			r, &used, buf_room(&t->piece, PIECE_BYTES), PIECE_BYTES, &made);

		if (outcome != STORE_OK)
			return outcome;
		if (made > 0)
			give(t, (struct str){t->piece.ptr, made});
		if (!is_ahead && t->is_wanted)
			body_pages_ahead(r->pages);
		is_ahead = true;
		if (r->given == r->packed_size && used == r->page.len)
			break;
	}
	return STORE_OK;
}

static enum store_outcome give_pages(struct body_pages *pages,
				     bool (*take)(void *arg, struct str), void *arg)
{
	struct body_reader r;
	struct taker taker = {.take = take, .arg = arg, .is_wanted = true};
	enum store_outcome outcome;

	taker.piece = BUF(PIECE_BYTES);
	taker.body = BUF(BODY_EXPANDED(PIECE_BYTES));
	taker.expander.form = &r.form;
	reader_begin(&r, pages);
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

enum store_outcome store_body_each(struct store *store, account_t account,
				   struct message_ref ref,
				   bool (*take)(void *arg, struct str), void *arg)
{
	struct body_pages *pages = body_pages_new(store, account, ref);

	return store_body_rest(&pages, take, arg);
}

struct body_pages *store_body_begin(struct store *store, account_t account,
				    struct message_ref ref, struct body_pages *after)
{
	struct body_pages *pages = body_pages_new(store, account, ref);

	if (after)
		body_pages_follow(after, pages);
	else
		body_pages_begin(pages);
	return pages;
}

enum store_outcome store_body_rest(struct body_pages **begun,
				   bool (*take)(void *arg, struct str), void *arg)
{
	enum store_outcome outcome = give_pages(*begun, take, arg);

	body_pages_free(begun);
	return outcome;
}

void store_body_drop(struct body_pages **begun)
{
	body_pages_free(begun);
}
