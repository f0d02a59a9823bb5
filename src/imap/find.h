/* What SEARCH, SORT and THREAD do first: they look for messages. */
#pragma once

#include "imap/found.h"
#include "imap/inprogress.h"
#include "imap/match.h"
#include "imap/walk.h"

struct find {
	struct match match;
	struct uids bounds; /* where those that can match at all are */
	struct inprogress progress;
};

/* Makes it ready.  False if it cannot be; then the command has been answered, and *err is
 * what its handler returns.  May suspend. */
bool find_begin(struct find *find, struct session *s, const struct imap_command *command,
		err_t *err);
void find_fini(struct find *find);
/* Calls take() with each row that matches, which has these columns, in the order of the
 * mailbox, until it returns false.  May suspend. */
enum store_outcome find_each(struct find *find, unsigned columns,
			     bool (*take)(void *arg, const struct message_row *row),
			     void *arg);
/* Finds all of them, unsorted. */
enum store_outcome find_all(struct find *find, struct found *found);
/* At least so many from the front, or from the end, if there are; and others only
 * between these. */
enum store_outcome find_first(struct find *find, size_t count, struct found *found);
enum store_outcome find_last(struct find *find, size_t count, struct found *found);
/* Finds all of them and puts them in order.  INVALID if they are too many for that. */
enum store_outcome find_sorted(struct find *find, const struct imap_sort *by,
			       struct found *found);
/* The one its texts came in: "" for UTF-8, and for ASCII, which is the same as far as it
 * goes. */
struct str find_charset(const struct imap_search *search);
/* What a searching command answers that could not be carried out. */
err_t find_failed(struct session *s, const struct imap_command *command,
		  enum store_outcome outcome);
