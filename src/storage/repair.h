/* Between the files that check, repair and rebuild.  Private to storage/. */
#pragma once

#include "storage/check_packs.h"
#include "storage/check_state.h"

/* Puts right what can be by patching, and sets aside what cannot; *is_in_order tells
 * whether the index is, then. */
[[nodiscard]] err_t check_patch(struct storage *storage,
				const struct check_options *options,
				struct check_report *report, bool *is_in_order);
/* Whether the log is whole, where the index cannot be asked. */
[[nodiscard]] err_t check_log(const struct check_options *options,
			      struct check_report *report);
/* storage_rebuild(); with must_be_whole only if no group of the log is missing, else
 * ERR_SYNTAX. */
[[nodiscard]] err_t rebuild(const struct check_options *options, bool must_be_whole,
			    struct arena *arena, struct check_report *report,
			    struct str *why);
