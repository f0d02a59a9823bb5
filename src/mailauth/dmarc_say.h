/* What DMARC says, in words. */
#pragma once

#include "mailauth/dmarc.h"

/* Sets sentence and refusal from the rest of the verdict. */
void dmarc_say(struct dmarc_verdict *verdict, struct arena *arena);
