/* The base subject: what sorting and threading compare.  RFC 5256 §2.1. */
#pragma once

#include "base/buf.h"

/* Appends the base subject of a Subject field's value (encoded words and all) as UTF-8.
 * True if the subject is one of a reply or forward: the steps removed a "Re:", "Fwd:",
 * "(fwd)" or "[Fwd: ...]". */
bool base_subject_add(struct buf *out, struct str value);
