#include "store/body_form.h"

#include "base/base64.h"
#include "base/codec.h"
#include "base/num.h"

enum {
	HEAD_MAGIC = 0x184D2A5B,
	HEAD_START = 8,
	LINE_MIN = 40, /* shorter ones are no base64 of a mailer */
};

uint64_t body_run_size(const struct body_run *run)
{
	uint64_t letters = (run->len + 2) / 3 * 4;

	return letters + 2 * ((letters - 1) / run->line);
}

/* ---- finding ----------------------------------------------------------------------- */

/* The letters up to the next line end, or to the end; CRLF only. */
static struct str line_at(struct str raw, size_t at)
{
	struct str rest = str_skip(raw, at);
	const char *end = rest.len > 0 ? memchr(rest.ptr, '\n', rest.len) : NULL;

	if (!end)
		return rest;
	size_t len = (size_t)(end - rest.ptr);

	return str_first(rest, len > 0 && end[-1] == '\r' ? len - 1 : len);
}

/* Two line ends at the distance of a line: rare in prose, and cheap to see. */
static bool may_start(struct str raw, size_t at, size_t line)
{
	size_t next = at + line + 2;

	return line >= LINE_MIN && line <= BODY_LINE_MAX && line % 4 == 0 &&
	       next + line + 2 <= raw.len && raw.ptr[next - 2] == '\r' &&
	       raw.ptr[next + line] == '\r' && raw.ptr[next + line + 1] == '\n';
}

/* Decodes the line, if encoding it again gives the same. */
static bool line_decode(struct str letters, struct buf *decoded)
{
	size_t from = decoded->len;
	char again[BODY_LINE_MAX];

	if (!base64_decode(letters, decoded))
		return false;
	struct str octets = str_skip(buf_str(decoded), from);

	ASSERT((octets.len + 2) / 3 * 4 == letters.len);
	base64_write(again, octets);
	if (memcmp(again, letters.ptr, letters.len) == 0)
		return true;
	buf_cut(decoded, from);
	return false;
}

/* Decodes lines from there on, and tells of what run they are, if only of a short one. */
static void run_at(struct str raw, size_t at, size_t line, struct body_run *run,
		   struct buf *decoded)
{
	size_t from = decoded->len;
	bool more = true;

	while (more) {
		struct str letters = str_first(str_skip(raw, at), line);
		bool is_full = letters.len == line && raw.len - at >= line + 2 &&
			       letters.ptr[line - 1] != '=' &&
			       raw.ptr[at + line] == '\r' &&
			       raw.ptr[at + line + 1] == '\n';

		if (!is_full)
			letters = line_at(raw, at);
		more = letters.len > 0 && letters.len <= line &&
		       line_decode(letters, decoded) && is_full;
		at += letters.len + 2;
	}
	run->len = decoded->len - from;
	run->line = (unsigned)line;
}

void body_form_find(struct str raw, struct body_form *form, struct buf *decoded)
{
	size_t at = 0, text = 0; /* where the text since the last run began */

	form->count = form->head_len = 0;
	while (at < raw.len && form->count < BODY_RUNS_MAX) {
		struct body_run *run = &form->runs[form->count];
		size_t line = line_at(raw, at).len, from = decoded->len;

		*run = (struct body_run){.text = at - text};
		if (may_start(raw, at, line))
			run_at(raw, at, line, run, decoded);
		if (run->len >= BODY_RUN_MIN) {
			at += body_run_size(run);
			text = at;
			form->count++;
			continue;
		}
		at += run->len > 0 ? body_run_size(run) : line;
		at += raw.len - at > 1 && raw.ptr[at] == '\r' ? 2 : 1;
		buf_cut(decoded, from);
	}
}

/* ---- the head ---------------------------------------------------------------------- */

void body_form_add(struct buf *out, const struct body_form *form)
{
	struct buf runs = BUF(BODY_HEAD_MAX);

	if (form->count == 0)
		return;
	for (size_t i = 0; i < form->count; i++) {
		enc_var(&runs, form->runs[i].text);
		enc_var(&runs, form->runs[i].len);
		enc_u8(&runs, (uint8_t)(form->runs[i].line / 4));
	}
	enc_u32(out, HEAD_MAGIC);
	enc_u32(out, (uint32_t)runs.len);
	buf_add(out, buf_str(&runs));
	buf_fini(&runs);
}

bool body_form_read(struct str frame, struct body_form *form)
{
	struct dec in = dec_over(frame);

	form->count = form->head_len = 0;
	if (frame.len < HEAD_START || dec_u32(&in) != HEAD_MAGIC)
		return true;
	uint32_t len = dec_u32(&in);

	in = dec_over(dec_bytes(&in, len));
	if (in.rest.len != len || len == 0 || len > BODY_HEAD_MAX - HEAD_START)
		return false;
	form->head_len = HEAD_START + len;
	for (; in.rest.len > 0 && dec_ok(&in); form->count++) {
		if (form->count == BODY_RUNS_MAX)
			return false;
		struct body_run *run = &form->runs[form->count];

		run->text = dec_var_max(&in, INT64_MAX / 4);
		run->len = dec_var_max(&in, BODY_DECODED_MAX);
		run->line = dec_u8(&in) * 4u;
		if (run->len == 0 || run->line == 0)
			return false;
	}
	return dec_ok(&in);
}

bool body_form_packed(const struct body_form *form, uint64_t raw_size,
		      uint64_t *packed_size)
{
	uint64_t raw = 0, packed = 0;

	for (size_t i = 0; i < form->count; i++) {
		const struct body_run *run = &form->runs[i];

		raw += run->text + body_run_size(run);
		packed += run->text + run->len;
		if (raw > raw_size) /* so the sums cannot wrap */
			return false;
	}
	*packed_size = packed + (raw_size - raw);
	return true;
}

/* ---- putting back ------------------------------------------------------------------ */

/* The run's octets at from as lines to there; the two may overlap as in body_form_expand.
 * first: a line of the run has been written already. */
static char *lines_write(const struct body_run *run, const char *from, size_t len,
			 bool first, char *to)
{
	size_t line = run->line / 4 * 3;

	while (len > 0) {
		struct str part = {from, num_min(len, line)};

		if (!first) {
			*to++ = '\r';
			*to++ = '\n';
		}
		first = false;
		from += part.len;
		len -= part.len;
		to += base64_write(to, part);
	}
	return to;
}

/* What is still to be written never is shorter than what is still to be read, so that
 * writing does not pass reading. */
void body_form_expand(const struct body_form *form, char *room, size_t raw_size,
		      size_t packed_size)
{
	const char *from = room + (raw_size - packed_size);
	char *to = room;

	for (size_t i = 0; i < form->count; i++) {
		const struct body_run *run = &form->runs[i];

		memmove(to, from, run->text);
		from += run->text;
		to = lines_write(run, from, run->len, true, to + run->text);
		from += run->len;
	}
	/* The rest is in its place. */
	ASSERT(form->count == 0 || to == from);
}

/* Takes octets of the run: whole lines at once, others through the line that is held. */
static void expand_run(struct body_expander *e, const struct body_run *run,
		       struct str part, struct buf *out)
{
	size_t line = run->line / 4 * 3;

	while (part.len > 0) {
		bool first = e->at == e->held;
		struct str whole = part;

		if (e->held > 0 || part.len < line) {
			size_t n = num_min(line - e->held, part.len);

			memcpy(e->line + e->held, part.ptr, n);
			e->held += n;
			e->at += n;
			part = str_skip(part, n);
			if (e->held < line && e->at < run->len)
				return;
			whole = (struct str){e->line, e->held};
			e->held = 0;
		} else {
			whole.len -= whole.len % line;
			e->at += whole.len;
			part = str_skip(part, whole.len);
		}
		char *to = buf_room(out, (whole.len / line + 1) * (run->line + 2));

		if (!to)
			return;
		buf_grew(out, (size_t)(lines_write(run, whole.ptr, whole.len, first, to) -
				       to));
	}
}

void body_expand(struct body_expander *e, struct str packed, struct buf *out)
{
	while (packed.len > 0) {
		bool is_end = e->run == e->form->count;
		const struct body_run *run = is_end ? NULL : &e->form->runs[e->run];
		uint64_t size = is_end ? UINT64_MAX : e->in_run ? run->len : run->text;
		struct str part = str_first(packed, num_min(packed.len, size - e->at));

		packed = str_skip(packed, part.len);
		if (e->in_run) {
			expand_run(e, run, part, out);
		} else {
			buf_add(out, part);
			e->at += part.len;
		}
		if (is_end || e->at < size)
			continue;
		e->run += e->in_run;
		e->in_run = !e->in_run;
		e->at = 0;
	}
}
