/* What words of the command line that print reports share: strangers' words, and times.
 */
#pragma once

#include "ctl/word.h"

enum { REPORT_FILE_MAX = 20 * 1024 * 1024 /* 10 MiB, as base64 in a mail */ };

/* The whole file, or standard input for "-", into bytes; false, and said. */
bool report_file(struct ctl *ctl, struct str path, struct buf *bytes);
/* Strangers' words on a terminal: on one line, and without control characters, those of
 * UTF-8 included. */
struct str report_shown(struct ctl *ctl, struct str text);
/* "2026-11-22 00:00" */
struct str report_moment(struct ctl *ctl, int64_t at);
/* `postrider report dmarc` */
void report_dmarc(struct ctl *ctl);
/* report_kept.c: `report keep`, `report list` */
void report_keep(struct ctl *ctl);
void report_list(struct ctl *ctl);
/* report_summary.c */
void report_summary(struct ctl *ctl);
/* report_reject.c: `report reject-safe` */
void report_reject(struct ctl *ctl);
