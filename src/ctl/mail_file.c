#include "ctl/mail_file.h"

#include "ctl/letter.h"
#include "ctl/word.h"
#include "rt/file.h"
#include "wire/mail/header.h"

bool mail_file_read(struct ctl *ctl, struct mail_file *file)
{
	SCOPED(buf_fini) struct buf raw = BUF(MAIL_FILE_BYTES_MAX);
	struct mail_field field;
	char path[4096];

	*file = (struct mail_file){.lines = BUF(2u * MAIL_FILE_BYTES_MAX)};
	if (!str_to_c(ctl->words[0], path, sizeof path) || file_read(path, &raw) != OK) {
		ctl_fail(ctl,
			 "The file %.*s cannot be read.\nNothing was checked.\nIt has "
			 "to be one mail, as it came.",
			 STR_FMT(ctl->words[0]));
		return false;
	}
	letter_lines_add(&file->lines, buf_str(&raw), true);
	struct mail_fields fields = mail_fields_over(buf_str(&file->lines));

	while (mail_fields_next(&fields, &field)) {
	}
	file->header_len = fields.at;
	return buf_ok(&file->lines);
}

void mail_file_fini(struct mail_file *file)
{
	buf_fini(&file->lines);
}

struct str mail_file_header(const struct mail_file *file)
{
	return str_first(buf_str(&file->lines), file->header_len);
}

struct str mail_file_body(const struct mail_file *file)
{
	return str_skip(buf_str(&file->lines), file->header_len);
}
