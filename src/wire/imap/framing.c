#include "wire/imap/framing.h"

#include "base/num.h"

const struct imap_frame_limits imap_frame_before_login = {
	.command_max = 24 << 10,
	.line_max = 16 << 10,
};
const struct imap_frame_limits imap_frame_after_login = {
	.command_max = 512 << 10,
	.line_max = 64 << 10,
	.may_append = true,
};

/* The digits of "{310}" or "{310+}" at the end of a line without its CRLF, and where the
 * literal begins; false if there is none. */
static bool literal_at_end(struct str line, struct imap_frame *frame, size_t *brace)
{
	if (line.len == 0 || line.ptr[line.len - 1] != '}')
		return false;
	*brace = str_rfind_byte(line, '{');
	if (*brace == line.len)
		return false;
	struct str digits = {line.ptr + *brace + 1, line.len - *brace - 2};
	bool is_plus = digits.len > 0 && digits.ptr[digits.len - 1] == '+';

	if (is_plus)
		digits.len--;
	if (digits.len == 0)
		return false;
	for (size_t i = 0; i < digits.len; i++) {
		if (!is_ascii_digit((unsigned char)digits.ptr[i]))
			return false;
	}
	frame->is_synchronising = !is_plus;
	if (!num_parse(digits, INT64_MAX, &frame->literal))
		frame->literal = INT64_MAX; /* more than we ever take */
	return true;
}

/* Where the arguments begin if the command is one that brings messages; with REPLACE,
 * where the second does. */
static bool append_arguments(struct str command, size_t *from)
{
	static const struct {
		struct str name;
		bool has_number;
	} names[] = {
		{STR(" APPEND "), false},
		{STR(" REPLACE "), true},
		{STR(" UID REPLACE "), true},
	};
	size_t tag = str_find_byte(command, ' ');
	struct str rest = str_skip(command, tag);

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (!str_starts_nocase(rest, names[i].name))
			continue;
		*from = tag + names[i].name.len;
		if (names[i].has_number)
			*from += str_find_byte(str_skip(command, *from), ' ') + 1;
		return true;
	}
	return false;
}

/* A message is the literal that is not the first argument, the mailbox name. */
static bool is_message(struct str got, size_t brace)
{
	size_t from;

	if (!append_arguments(got, &from))
		return false;
	return brace > from;
}

static enum imap_frame_state line_done(struct imap_frame *frame, struct str got,
				       const struct imap_frame_limits *limits, size_t end)
{
	struct str line = {got.ptr + frame->line_from, end - frame->line_from};
	size_t brace, total;

	frame->len = end;
	frame->seen = end;
	/* A bare LF ends the line too, so that the parser can say what is wrong. */
	line.len -= line.len > 1 && line.ptr[line.len - 2] == '\r' ? 2 : 1;
	if (!literal_at_end(line, frame, &brace))
		return IMAP_FRAME_WHOLE;
	if (limits->may_append && is_message(got, frame->line_from + brace))
		return IMAP_FRAME_MESSAGE;
	if (frame->literal > limits->command_max ||
	    !num_add(end, (size_t)frame->literal, &total) || total > limits->command_max)
		return IMAP_FRAME_TOO_LONG;
	frame->line_from = frame->seen = total;
	return frame->is_synchronising ? IMAP_FRAME_GO : IMAP_FRAME_MORE;
}

enum imap_frame_state imap_frame_scan(struct imap_frame *frame, struct str got,
				      const struct imap_frame_limits *limits)
{
	while (got.len > frame->seen) {
		const char *from = got.ptr + frame->seen;
		const char *lf = memchr(from, '\n', got.len - frame->seen);
		size_t end = lf ? (size_t)(lf - got.ptr) + 1 : got.len;

		if (end - frame->line_from > limits->line_max ||
		    end > limits->command_max) {
			frame->is_synchronising = false;
			return IMAP_FRAME_TOO_LONG;
		}
		frame->seen = end;
		if (!lf)
			return IMAP_FRAME_MORE;
		enum imap_frame_state state = line_done(frame, got, limits, end);

		if (state != IMAP_FRAME_MORE)
			return state;
	}
	return IMAP_FRAME_MORE;
}
