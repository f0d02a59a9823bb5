#include "policy/hearing.h"

#include "base/mem.h"
#include "mailauth/arc_verify.h"
#include "mailauth/dkim_verify.h"
#include "policy/message.h"
#include "rt/clock.h"

enum {
	ARENA_BYTES = 4 * 1024 * 1024,
	PIECE_BYTES = 256 * 1024, /* hashed in one go */
	/* Of those that begin ahead, so that slow senders hold little; what is longer,
	 * or comes beside so many, is heard when it is whole. */
	HEADER_BYTES_MAX = 64 * 1024,
	BEGINNING_BYTES_MAX = 1024 * 1024,
};

static unsigned ahead_count;

static struct hearing *hearing_new(void)
{
	struct hearing *hearing = NEW(struct hearing);

	arena_init(&hearing->arena, ARENA_BYTES);
	return hearing;
}

static void begin(struct hearing *hearing, struct str header, bool wants_body_hash,
		  int64_t now_s)
{
	hearing->header = header;
	hearing->heard = header.len;
	hearing->message = dkim_message_begin(header, &hearing->arena);
	hearing->has_body_hash =
		wants_body_hash && dkim_body_want(hearing->message->body, DKIM_RELAXED,
						  UINT64_MAX, &hearing->body_hash);
	hearing->dkim = dkim_verify_begin(hearing->message, now_s);
	hearing->arc = arc_verify_begin(hearing->message, now_s);
}

/* Ends in a line that is no field, and whole: whatever comes, it ends there. */
static struct str whole_header(const struct policy *policy, struct str text)
{
	struct str begun = str_first(text, HEADER_BYTES_MAX);
	size_t last = str_rfind_byte(begun, '\n');
	struct str lines = str_first(begun, last == begun.len ? 0 : last + 1);
	size_t len = message_look(lines, policy->hostname).header_len;

	return len < lines.len ? str_first(text, len) : STR("");
}

static struct hearing *begin_ahead(const struct policy *policy, struct str text)
{
	struct str header, copy;
	struct hearing *hearing;

	if (!policy->dns.ask || text.len > BEGINNING_BYTES_MAX ||
	    ahead_count == HEARINGS_AHEAD_MAX)
		return NULL;
	header = whole_header(policy, text);
	if (header.len == 0)
		return NULL;
	ahead_count++;
	hearing = hearing_new();
	hearing->is_ahead = true;
	if (!arena_copy(&hearing->arena, header, &copy))
		ASSERT(false); /* a fresh arena holds it */
	begin(hearing, copy, policy->is_sealing, clock_s());
	return hearing;
}

void hearing_go_on(const struct policy *policy, struct str text, struct hearing **hearing)
{
	if (!*hearing)
		*hearing = begin_ahead(policy, text);
	while (*hearing && hearing_piece(*hearing, text))
		;
}

struct hearing *hearing_of(struct str text, size_t header_len, bool wants_body_hash,
			   int64_t now_s)
{
	struct hearing *hearing = hearing_new();

	begin(hearing, str_first(text, header_len), wants_body_hash, now_s);
	return hearing;
}

bool hearing_piece(struct hearing *hearing, struct str text)
{
	struct str piece = str_first(str_skip(text, hearing->heard), PIECE_BYTES);

	if (piece.len == 0 || !dkim_message_wants_body(hearing->message))
		return false;
	dkim_message_feed(hearing->message, piece);
	hearing->heard += piece.len;
	return hearing->heard < text.len;
}

void hearing_free(struct hearing **hearing)
{
	if (!*hearing)
		return;
	ahead_count -= (*hearing)->is_ahead;
	dkim_verify_free(&(*hearing)->dkim);
	arc_verify_free(&(*hearing)->arc);
	dkim_message_free(&(*hearing)->message);
	arena_fini(&(*hearing)->arena);
	mem_free(*hearing);
	*hearing = NULL;
}
