/* One mail in a file, for commands that look at it. */
#pragma once

#include "base/buf.h"

struct ctl;

enum { MAIL_FILE_BYTES_MAX = 512 * 1024 * 1024 };

struct mail_file {
	struct buf lines;  /* with CRLF line ends, as it travels */
	size_t header_len; /* octets of the header, with its blank line */
};

/* Reads the file named by the command's first word; false, and said so, if that cannot be
 * done. */
[[nodiscard]] bool mail_file_read(struct ctl *ctl, struct mail_file *file);
void mail_file_fini(struct mail_file *file);
struct str mail_file_header(const struct mail_file *file);
struct str mail_file_body(const struct mail_file *file);
