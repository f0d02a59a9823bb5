/* The parts of a report, inside queue/ only. */
#pragma once

#include "queue/bounce.h"

/* What the sender is to read. */
void part_words_add(const struct bounce *bounce, struct buf *out);
/* message/delivery-status: RFC 3464 §2.2, §2.3; or its form for UTF-8, RFC 6533 §4.1. */
void part_status_add(const struct bounce *bounce, bool is_global, struct buf *out);

/* The recipient's status, or the action's usual one. */
struct smtp_enhanced bounce_status(const struct bounce_recipient *recipient);
/* As its sender knew it. */
struct str bounce_address(const struct bounce_recipient *recipient);
/* One line of what a stranger wrote, at most max octets: no controls, no broken UTF-8. */
void bounce_add_clean(struct buf *out, struct str line, size_t max, bool is_global);
