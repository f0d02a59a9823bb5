/* The calls of store/search.h. */
#include "store/codec.h"

enum { CLASSES_MAX = 255 };

void store_enc_find(struct buf *buf, const struct store_request *r)
{
	enc_var(buf, r->find.mailbox);
	enc_u8(buf, (uint8_t)r->find.classes);
	store_enc_bounded(buf, r->find.text, SEARCH_TERM_MAX);
	store_enc_bool(buf, r->find.is_fuzzy);
}

void store_dec_find(struct dec *dec, struct store_request *r)
{
	r->find.mailbox = dec_var(dec);
	r->find.classes = dec_u8(dec);
	r->find.text = store_dec_bounded(dec, SEARCH_TERM_MAX);
	r->find.is_fuzzy = store_dec_bool(dec);
}

void store_enc_done(struct buf *buf, const struct index_done *done)
{
	enc_var(buf, done->from);
	enc_var(buf, done->upto);
	enc_var(buf, done->left_out);
	if (done->count > INDEX_ITEMS_MAX)
		buf->failed = true;
	enc_var(buf, done->count);
	for (size_t i = 0; i < done->count && buf_ok(buf); i++) {
		enc_var(buf, done->docs[i].message);
		store_enc_bounded(buf, done->docs[i].terms, INDEX_PUT_BYTES);
	}
}

void store_dec_done(struct dec *dec, struct arena *arena, struct index_done *done)
{
	done->from = dec_var(dec);
	done->upto = dec_var(dec);
	done->left_out = dec_var_max(dec, UINT32_MAX);
	struct index_doc *docs = STORE_DEC_ARRAY(dec, arena, struct index_doc, 2,
						 INDEX_ITEMS_MAX, &done->count);

	done->docs = docs;
	for (size_t i = 0; i < done->count; i++) {
		docs[i].message = dec_var(dec);
		docs[i].terms = store_dec_bounded(dec, INDEX_PUT_BYTES);
	}
}

void store_enc_candidates(struct buf *buf, const struct store_candidates *candidates)
{
	store_enc_uids(buf, candidates->sure, SEARCH_RANGES_MAX);
	store_enc_uids(buf, candidates->perhaps, SEARCH_RANGES_MAX);
	store_enc_bounded(buf, candidates->scores, SEARCH_SCORES_MAX);
	store_enc_bounded(buf, candidates->weights, SEARCH_WEIGHTS_MAX);
}

bool store_dec_candidates(struct dec *dec, struct arena *arena,
			  struct store_candidates *candidates)
{
	candidates->sure = store_dec_uids(dec, arena, SEARCH_RANGES_MAX);
	candidates->perhaps = store_dec_uids(dec, arena, SEARCH_RANGES_MAX);
	candidates->scores = store_dec_bounded(dec, SEARCH_SCORES_MAX);
	candidates->weights = store_dec_bounded(dec, SEARCH_WEIGHTS_MAX);
	return dec_done(dec);
}

void store_enc_work(struct buf *buf, const struct index_work *work)
{
	enc_u32(buf, work->account);
	enc_var(buf, work->from);
	enc_var(buf, work->upto);
	store_enc_bool(buf, work->is_more);
	enc_var(buf, work->count);
	for (size_t i = 0; i < work->count; i++) {
		enc_var(buf, work->items[i].message);
		store_enc_bounded(buf, work->items[i].trace, TRACE_BYTES_MAX);
	}
}

bool store_dec_work(struct dec *dec, struct arena *arena, struct index_work *work)
{
	*work = (struct index_work){.account = dec_u32(dec)};
	work->from = dec_var(dec);
	work->upto = dec_var(dec);
	work->is_more = store_dec_bool(dec);
	struct index_item *items = STORE_DEC_ARRAY(dec, arena, struct index_item, 2,
						   INDEX_ITEMS_MAX, &work->count);

	work->items = items;
	for (size_t i = 0; i < work->count; i++) {
		items[i].message = dec_var(dec);
		items[i].trace = store_dec_bounded(dec, TRACE_BYTES_MAX);
	}
	return dec_done(dec);
}

void store_enc_index_state(struct buf *buf, const struct index_state *state)
{
	enc_var(buf, state->messages);
	enc_var(buf, state->left_out);
	enc_var(buf, state->waiting);
	enc_var(buf, state->bytes);
	enc_var(buf, state->accounts);
	enc_var(buf, state->segments);
}

bool store_dec_index_state(struct dec *dec, struct index_state *state)
{
	*state = (struct index_state){.messages = dec_var(dec)};
	state->left_out = dec_var(dec);
	state->waiting = dec_var(dec);
	state->bytes = dec_var(dec);
	state->accounts = dec_var(dec);
	state->segments = dec_var(dec);
	return dec_done(dec);
}
