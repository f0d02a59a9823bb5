/* The calls of store/search.h. */
#include "store/client.h"
#include "store/search.h"

enum store_outcome store_search(struct store *store, account_t account,
				const struct store_find *find, struct arena *arena,
				struct store_candidates *candidates)
{
	struct store_request request = {
		.call = CALL_SEARCH, .account = account, .find = *find};
	struct talk talk;
	bool is_decoded =
		talk_read_begin(&talk, store, &request) &&
		store_dec_candidates(talk_kept(&talk, arena), arena, candidates);

	return talk_read_end(&talk, is_decoded);
}

enum store_outcome store_index_take(struct store *store, struct arena *arena,
				    struct index_work *work)
{
	struct store_request request = {.call = CALL_INDEX_TAKE};
	struct talk talk;
	bool is_decoded = talk_read_begin(&talk, store, &request) &&
			  store_dec_work(talk_kept(&talk, arena), arena, work);

	return talk_read_end(&talk, is_decoded);
}

/* Not said twice for nothing: if it has come, the second time is a CONFLICT. */
enum store_outcome store_index_put(struct store *store, account_t account,
				   const struct index_done *done)
{
	struct store_request request = {.call = CALL_INDEX_PUT, .account = account};
	struct talk talk;

	request.done = *done;
	bool is_decoded = talk_read_begin(&talk, store, &request);

	return talk_read_end(&talk, is_decoded);
}

enum store_outcome store_index_state(struct store *store, struct index_state *state)
{
	struct store_request request = {.call = CALL_INDEX_STATE};
	struct talk talk;
	bool is_decoded = talk_read_begin(&talk, store, &request) &&
			  store_dec_index_state(&talk.dec, state);

	return talk_read_end(&talk, is_decoded);
}

enum store_outcome store_index_renew(struct store *store)
{
	struct store_request request = {.call = CALL_INDEX_RENEW};
	struct talk talk;
	bool is_decoded = talk_read_begin(&talk, store, &request);

	return talk_read_end(&talk, is_decoded);
}
