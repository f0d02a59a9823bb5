/* Envelope and structure of a message in the form that wire/imap writes. */
#include "imap/message.h"

/* What goes into a response, however long a hostile header is: of one text, and of the
 * texts of one list of addresses.  The header itself is given whole. */
enum { TEXT_MAX = 32 * 1024, LIST_TEXT_MAX = 64 * 1024 };

/* "" becomes NIL. */
static struct str nil_if_empty(struct str text)
{
	return text.len > 0 ? str_first(text, TEXT_MAX) : (struct str){NULL, 0};
}

static struct str never_nil(struct str text)
{
	return text.ptr ? str_first(text, TEXT_MAX) : STR("");
}

/* RFC 9051 §7.5.2: a group begins with a mailbox (its name) without host, and ends with
 * neither. */
static struct imap_address one_address(const struct mail_address *from)
{
	switch (from->kind) {
	case MAIL_GROUP_START:
		return (struct imap_address){.mailbox = never_nil(from->name)};
	case MAIL_GROUP_END:
		return (struct imap_address){0};
	case MAIL_MAILBOX:
		break;
	}
	return (struct imap_address){nil_if_empty(from->name), never_nil(from->local),
				     never_nil(from->domain)};
}

static bool addresses(struct arena *arena, const struct mail_addresses *from,
		      struct imap_addresses *to)
{
	if (from->count == 0) {
		*to = (struct imap_addresses){0};
		return true;
	}
	struct imap_address *list = ARENA_ARRAY(arena, struct imap_address, from->count);

	if (!list)
		return false;
	size_t count = 0, octets = 0;

	while (count < from->count && octets < LIST_TEXT_MAX) {
		struct imap_address *one = &list[count];

		*one = one_address(&from->items[count++]);
		octets += one->name.len + one->mailbox.len + one->host.len;
	}
	*to = (struct imap_addresses){list, count};
	return true;
}

const struct imap_envelope *message_imap_envelope(struct message *m,
						  const struct mail_envelope *from)
{
	struct imap_envelope *envelope = ARENA_NEW(&m->arena, struct imap_envelope);

	if (!envelope)
		return NULL;
	struct imap_addresses *const lists[MAIL_LIST_COUNT] = {
		[MAIL_FROM_LIST] = &envelope->from,
		[MAIL_SENDER_LIST] = &envelope->sender,
		[MAIL_REPLY_TO_LIST] = &envelope->reply_to,
		[MAIL_TO_LIST] = &envelope->to,
		[MAIL_CC_LIST] = &envelope->cc,
		[MAIL_BCC_LIST] = &envelope->bcc,
	};

	for (size_t i = 0; i < MAIL_LIST_COUNT; i++) {
		if (!addresses(&m->arena, &from->lists[i], lists[i]))
			return NULL;
	}
	envelope->date = nil_if_empty(from->date_text);
	envelope->subject = nil_if_empty(from->subject);
	envelope->in_reply_to = nil_if_empty(from->in_reply_to);
	envelope->message_id = nil_if_empty(from->message_id);
	return envelope;
}

static bool params(struct arena *arena, const struct mail_params *from,
		   const struct imap_param **list, size_t *count)
{
	struct imap_param *copy = ARENA_ARRAY(arena, struct imap_param, from->count);

	if (!copy)
		return false;
	for (size_t i = 0; i < from->count; i++)
		copy[i] = (struct imap_param){from->items[i].name,
					      never_nil(from->items[i].value)};
	*list = copy;
	*count = from->count;
	return true;
}

static struct str encoding_of(const struct mime_part *part)
{
	struct str name = mail_transfer_name(part->transfer);

	if (name.len > 0)
		return name;
	return part->encoding.len > 0 ? part->encoding : (struct str){NULL, 0};
}

static bool fill(struct message *m, const struct mime_part *part, struct imap_body *body)
{
	*body = (struct imap_body){
		.type = part->type,
		.subtype = part->subtype,
		.id = nil_if_empty(part->id),
		.description = nil_if_empty(part->description),
		.encoding = encoding_of(part),
		.size = part->body_len,
		.lines = part->lines,
		.disposition = nil_if_empty(part->disposition.type),
		.md5 = nil_if_empty(part->md5),
		.language = nil_if_empty(part->language),
		.location = nil_if_empty(part->location),
		.is_multipart = part->kind == MIME_MULTIPART,
	};
	return params(&m->arena, &part->params, &body->params, &body->param_count) &&
	       params(&m->arena, &part->disposition.params, &body->disposition_params,
		      &body->disposition_param_count);
}

static struct imap_body *convert(struct message *m, const struct mime_part *part,
				 unsigned depth);

static bool convert_children(struct message *m, const struct mime_part *part,
			     struct imap_body *body, unsigned depth)
{
	const struct imap_body **end = &body->child;

	for (const struct mime_part *child = part->first; child; child = child->next) {
		struct imap_body *one = convert(m, child, depth - 1);

		if (!one)
			return false;
		*end = one;
		end = &one->next;
	}
	return true;
}

static struct imap_body *convert(struct message *m, const struct mime_part *part,
				 unsigned depth)
{
	struct imap_body *body = ARENA_NEW(&m->arena, struct imap_body);

	if (!body || !fill(m, part, body))
		return NULL;
	if (depth > 0 && !convert_children(m, part, body, depth))
		return NULL;
	if (part->kind != MIME_MESSAGE || !part->first || !part->envelope)
		return body;
	body->envelope = message_imap_envelope(m, part->envelope);
	return body->envelope ? body : NULL;
}

const struct imap_body *message_imap_body(struct message *m)
{
	return convert(m, m->root, IMAP_BODY_DEPTH_MAX);
}
