/* What the command line says when something did not work. */
#include <stdarg.h>
#include <stdio.h>

#include <jansson.h>

#include "ctl/word.h"

void ctl_fail(struct ctl *ctl, const char *format, ...)
{
	SCOPED(buf_fini) struct buf text = BUF(16 * 1024);
	va_list args;

	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	(void)fprintf(stderr, "postrider: %.*s\n", STR_FMT(buf_str(&text)));
	ctl->status = 1;
	if (!ctl->is_json)
		return;
	json_decref(ctl->json);
	ctl->json = json_pack("{s:s%}", "error", text.ptr, text.len);
}

void ctl_fail_store(struct ctl *ctl, enum store_outcome outcome)
{
	switch (outcome) {
	case STORE_FULL:
		ctl_fail(ctl, "The disk is full.\nNothing was changed.\nMake room on the "
			      "file system of the data directory.");
		break;
	case STORE_UNAVAILABLE:
		ctl_fail(ctl, "The store cannot do this now: it is starting, or it has "
			      "become read-only.\nNothing was changed.\n"
			      "The server's log says which; try again after that.");
		break;
	case STORE_UNKNOWN:
		ctl_fail(ctl,
			 "We lost touch with the store in the middle.\nThe change "
			 "may have been made or not, but not by half.\nLook with the "
			 "\"list\" command, and repeat it if it is not there.");
		break;
	case STORE_DENIED:
		ctl_fail(ctl,
			 "The store does not let this command do that.\nNothing was "
			 "changed.\nRun it as the user who owns the data directory.");
		break;
	case STORE_OVER_QUOTA:
		ctl_fail(ctl, "There is no room left in the account.\nNothing was "
			      "changed.\nMake room first.");
		break;
	case STORE_OK:
	case STORE_CONFLICT:
	case STORE_ABSENT:
	case STORE_INVALID:
	case STORE_DAMAGED:
		ctl_fail(ctl,
			 "The store did not accept this (outcome %d).\nNothing was "
			 "changed.\nThat should not happen: please report it.",
			 (int)outcome);
		break;
	}
}

json_t *ctl_json(struct str text)
{
	json_t *json = json_stringn(text.len > 0 ? text.ptr : "", text.len);

	return json ? json : json_null();
}
