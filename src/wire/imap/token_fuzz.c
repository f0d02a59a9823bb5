#include "wire/imap/token.h"

typedef bool text_reader(struct imap_in *in, struct str *text);

/* Every reader stays inside and moves only when it succeeds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	static text_reader *const readers[] = {
		imap_label,   imap_tag,     imap_atom,         imap_quoted,  imap_string,
		imap_astring, imap_nstring, imap_list_mailbox, imap_mailbox,
	};
	SCOPED(arena_fini) struct arena arena;
	struct imap_flags flags;
	struct imap_literal literal;
	struct imap_date_time when;
	int64_t day;
	uint32_t number;

	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < COUNT_OF(readers); i++) {
		struct imap_in in = imap_in_over(input, &arena);
		struct str text;

		if (readers[i](&in, &text))
			ASSERT(in.at.at > input.ptr && in.at.at <= input.ptr + len);
		else
			ASSERT(in.at.at == input.ptr);
	}
	struct imap_in in = imap_in_over(input, &arena);

	if (!imap_flag_list(&in, &flags) && !imap_flag_run(&in, &flags) &&
	    !imap_literal_head(&in, &literal) && !imap_date(&in, &day) &&
	    !imap_date_time(&in, &when) && !imap_nz_number(&in, &number))
		ASSERT(in.at.at == input.ptr);
	for (size_t i = 0; i < in.reason.len; i++)
		ASSERT(in.reason.ptr[i] >= 32 && in.reason.ptr[i] < 127);
	return 0;
}
