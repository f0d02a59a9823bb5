/* Replies; those too long for one frame are kept until the guest has fetched the rest. */
#include "base/mem.h"
#include "storaged/state.h"

enum { PART_HEAD_BYTES = 16 };

struct kept {
	struct list_link in_guest;
	uint64_t token;
	struct buf bytes;
};

static void kept_free(struct guest *guest, struct kept *kept)
{
	list_remove(&guest->kept, &kept->in_guest);
	guest->kept_bytes -= kept->bytes.len;
	buf_fini(&kept->bytes);
	mem_free(kept);
}

void replies_drop(struct guest *guest)
{
	LIST_EACH(&guest->kept, link)
	kept_free(guest, CONTAINER_OF(link, struct kept, in_guest));
}

static void send_part(struct guest *guest, uint64_t id, const struct kept *kept,
		      uint64_t offset)
{
	struct buf part = BUF(PART_HEAD_BYTES + PART_BYTES);
	struct str rest = str_skip(buf_str(&kept->bytes), offset);

	enc_u64(&part, kept->token);
	enc_u64(&part, kept->bytes.len);
	buf_add(&part, str_first(rest, PART_BYTES));
	ipc_reply(guest->ipc, id, REPLY_PART, buf_str(&part), -1);
	buf_fini(&part);
}

/* UNKNOWN is true even where a commit happened: asked again by its key, it answers in
 * short. */
static void send_long(struct guest *guest, uint64_t id, const struct buf *reply)
{
	if (guest->kept_bytes + reply->len > KEPT_BYTES_MAX) {
		reply_only(guest, id, STORE_UNKNOWN);
		return;
	}
	struct kept *kept = NEW(struct kept);

	kept->token = ++guest->last_token;
	kept->bytes = BUF(REPLY_BYTES_MAX);
	buf_add(&kept->bytes, buf_str(reply));
	guest->kept_bytes += kept->bytes.len;
	list_add_last(&guest->kept, &kept->in_guest);
	send_part(guest, id, kept, 0);
}

void reply_send(struct guest *guest, uint64_t id, const struct buf *reply)
{
	if (id == 0 || !guest->ipc)
		return;
	if (!buf_ok(reply))
		reply_only(guest, id, STORE_UNKNOWN);
	else if (reply->len > IPC_BODY_MAX)
		send_long(guest, id, reply);
	else
		ipc_reply(guest->ipc, id, REPLY_WHOLE, buf_str(reply), -1);
}

void reply_only(struct guest *guest, uint64_t id, enum store_outcome outcome)
{
	char octet = (char)outcome;

	if (id != 0 && guest->ipc)
		ipc_reply(guest->ipc, id, REPLY_WHOLE, (struct str){&octet, 1}, -1);
}

void reply_rest(struct guest *guest, uint64_t id, uint64_t token, uint64_t offset)
{
	LIST_EACH(&guest->kept, link)
	{
		struct kept *kept = CONTAINER_OF(link, struct kept, in_guest);

		if (kept->token != token || offset >= kept->bytes.len)
			continue;
		send_part(guest, id, kept, offset);
		if (kept->bytes.len - offset <= PART_BYTES)
			kept_free(guest, kept);
		return;
	}
	reply_only(guest, id, STORE_ABSENT);
}
