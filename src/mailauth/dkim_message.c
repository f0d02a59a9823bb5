#include "mailauth/dkim_message.h"

#include "base/mem.h"

struct dkim_message *dkim_message_begin(struct str header, struct arena *arena)
{
	struct dkim_message *message = NEW(struct dkim_message);

	message->arena = arena;
	message->body = dkim_body_new();
	message->is_too_big = !dkim_header_read(header, arena, &message->header);
	return message;
}

bool dkim_message_wants_body(const struct dkim_message *message)
{
	return dkim_body_is_wanted(message->body);
}

void dkim_message_feed(struct dkim_message *message, struct str piece)
{
	dkim_body_feed(message->body, piece);
}

void dkim_message_end(struct dkim_message *message)
{
	dkim_body_end(message->body);
}

void dkim_message_free(struct dkim_message **message)
{
	if (!*message)
		return;
	dkim_body_free(&(*message)->body);
	mem_free(*message);
	*message = NULL;
}

/* RFC 6376 §6.1.3 */
struct dkim_text dkim_message_text(struct dkim_message *message,
				   const struct mail_field *field,
				   const struct dkim_signature *signature,
				   size_t body_hash)
{
	SCOPED(buf_fini) struct buf bare = BUF(TAG_LIST_BYTES_MAX);
	const struct dkim_body_hash *body = dkim_body_hash(message->body, body_hash);
	struct dkim_text text = {.trouble = NULL};

	if (signature->has_length && signature->length > body->length)
		text.trouble = "body is shorter than it was";
	else if (memcmp(body->hash, signature->body_hash.ptr, DKIM_HASH_BYTES) != 0)
		text.trouble = "body hash did not verify";
	if (text.trouble)
		return text;
	dkim_signature_bare(signature, &bare);
	ASSERT(buf_ok(&bare));
	dkim_header_hash(&message->header, signature->header, signature->names,
			 signature->name_count,
			 &(struct dkim_own){dkim_header_name(&message->header, field),
					    buf_str(&bare)},
			 text.hash);
	return text;
}
