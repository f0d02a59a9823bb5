/* libunbound, set up as we need it. */
#pragma once

#include <unbound.h>

#include "resolverd/resolverd.h"

/* NULL, and *why, if it cannot be had. */
struct ub_ctx *engine_new(const struct resolverd_options *options, const char **why);
