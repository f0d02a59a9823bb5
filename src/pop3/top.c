#include "pop3/top.h"

struct top top_of(uint64_t lines)
{
	return (struct top){.lines = lines, .is_line_empty = true};
}

static bool is_blank(struct str part)
{
	return part.len == 0 || (part.len == 1 && part.ptr[0] == '\r');
}

size_t top_take(struct top *top, struct str piece)
{
	size_t at = 0;

	while (at < piece.len && !(top->is_in_body && top->lines == 0)) {
		struct str rest = str_skip(piece, at);
		size_t end = str_find_byte(rest, '\n');

		if (!is_blank(str_first(rest, end)))
			top->is_line_empty = false;
		if (end == rest.len)
			return piece.len;
		at += end + 1;
		if (top->is_in_body)
			top->lines--;
		else if (top->is_line_empty)
			top->is_in_body = true;
		top->is_line_empty = true;
	}
	return at;
}
