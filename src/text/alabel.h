/* International domain names in their ASCII form (A-labels).  RFC 5891. */
#pragma once

#include "base/arena.h"

enum { ALABEL_NAME_MAX = 255 };

/* What the DNS is asked for: of a name in UTF-8, A-labels; ASCII stays as it is.  False
 * (and "") if it is no domain name. */
[[nodiscard]] bool alabel_name(struct str name, struct arena *arena, struct str *ascii);
