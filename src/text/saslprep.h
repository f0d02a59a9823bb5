/* Names and passwords as they are compared: SASLprep, RFC 4013, so that what one keyboard
 * or system composes otherwise than another is the same.  ASCII goes as it is, without
 * ICU. */
#pragma once

#include "base/buf.h"

/* Appends the text as SASLprep maps it.  False if it is no UTF-8, longer than 1024
 * octets, maps to nothing, or holds what is prohibited (RFC 4013 §2.3: controls, private
 * use, and the like).  Nothing of it stays behind in memory of ours.
 *
 * Deviates: characters that Unicode 3.2 did not have (emoji among them) are let through
 * in stored passwords too, as RFC 8265 would. */
[[nodiscard]] bool saslprep_add(struct buf *out, struct str text);
