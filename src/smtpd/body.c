#include "smtpd/body.h"

#include "base/num.h"

enum {
	TEXT_FIRST_BYTES = 16 * 1024,     /* room made before the first octet comes */
	TEXT_FIRST_BYTES_MAX = 256 * 1024 /* and if the client announced so much */
};

/* What all sessions of this process hold. */
static size_t held_bytes;
static const size_t held_bytes_max = (size_t)1 << 30;

void body_begin(struct body *body, enum body_how how, enum smtp_line_ends line_ends,
		uint64_t bytes_hint, uint64_t bytes_max)
{
	uint64_t first =
		num_max(TEXT_FIRST_BYTES, num_min(bytes_hint, TEXT_FIRST_BYTES_MAX));

	*body = (struct body){.text = BUF(bytes_max),
			      .is_begun = true,
			      .until = deadline_s(BODY_ALL_S)};
	if (how == BODY_DATA)
		smtp_data_init(&body->data, line_ends, bytes_max);
	else
		smtp_chunks_init(&body->data, line_ends, bytes_max);
	(void)buf_room(&body->text, num_min(first, bytes_max)); /* only a hint */
	held_bytes += body->text.room;
}

void body_fini(struct body *body)
{
	held_bytes -= body->text.room;
	buf_fini(&body->text);
	*body = (struct body){0};
}

static void let_go(struct body *body)
{
	held_bytes -= body->text.room;
	buf_release(&body->text);
}

size_t body_take(struct body *body, struct str input)
{
	size_t before = body->text.room;
	size_t taken = smtp_data_feed(&body->data, input, &body->text);

	held_bytes += body->text.room - before;
	if (held_bytes > held_bytes_max && !body->data.is_too_big)
		body->is_crowded = body->data.is_too_big = true;
	if (body->data.is_too_big)
		let_go(body); /* the rest is only counted */
	return taken;
}

unsigned body_wait_s(const struct body *body, deadline_t now)
{
	deadline_t left_s = body->until > now ? (body->until - now) / 1000 : 0;

	return (unsigned)num_min(left_s, BODY_WAIT_S);
}

const char *body_fault(const struct body *body)
{
	const struct smtp_data *data = &body->data;

	if (data->has_nul)
		return "The message holds NUL characters (RFC 5322 does not allow them)";
	if (data->line_ends != SMTP_LINES_KEEP)
		return NULL;
	if (data->has_bare_lf)
		return "A line ended with LF alone; each must end with CR LF "
		       "(RFC 5321 section 2.3.8)";
	if (data->has_bare_cr)
		return "There was a CR without LF; each line must end with CR LF "
		       "(RFC 5321 section 2.3.8)";
	return NULL;
}
