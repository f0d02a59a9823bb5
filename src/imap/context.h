/* What a SEARCH or SORT with UPDATE found, kept up to date: the client is told what comes
 * and goes.  RFC 5267 §4.3.
 *
 * A session has a few of them, in bounded memory, for the mailbox that is selected. */
#pragma once

#include "imap/found.h"
#include "imap/session.h"

struct context;

/* Of a searching command that has not begun yet, whose sets of messages are taken as they
 * are now.  NULL if there is no room for more. */
struct context *context_new(struct session *s, const struct imap_command *command);
/* For SCOPED, too. */
void context_free(struct context **context);
/* From now on what was found is kept up to date: both become the session's.  False, and
 * they stay the caller's, if *context is NULL or there is no room. */
bool context_begin(struct session *s, struct context **context, struct found *found);
/* The one of that tag, or NULL. */
struct context *context_find(const struct session *s, struct str tag);
/* False if there is none of that tag. */
bool context_cancel(struct session *s, struct str tag);
void contexts_end(struct session *s);

/* "REMOVEFROM" for messages that are about to be told as gone. */
void contexts_tell_gone(struct session *s, const struct uids *gone);
/* "ADDTO" and "REMOVEFROM" for these messages, which are new or whose flags changed.  May
 * suspend. */
enum store_outcome contexts_tell_changed(struct session *s, const struct uids *changed);
