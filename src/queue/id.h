/* Queue ids: what names a mail in replies, in the Received field and in the log. */
#pragma once

#include "base/str.h"

enum { QUEUE_ID_LETTERS = 16 };

/* Writes time and chance into room: unique, and in the order of age. */
struct str queue_id_make(char room[QUEUE_ID_LETTERS]);
