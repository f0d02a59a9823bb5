/* A walk over all mail of an account, for the formats that it is exported to. */
#pragma once

#include "transfer/boxes.h"
#include "transfer/export.h"

/* What a format does with what the walk meets; each false ends the mailbox (the report
 * knows why). */
struct outgo_format {
	bool (*begin)(void *arg, const struct box *box);
	/* Whether the message has still to be written. */
	bool (*wants)(void *arg, const struct message_row *row);
	/* The whole message with its trace, with CRLF or LF as wished. */
	bool (*message)(void *arg, const struct message_row *row, struct str text);
	void (*end)(void *arg, bool is_whole);
};

void outgo(const struct export_options *options, const struct outgo_format *format,
	   void *arg);
