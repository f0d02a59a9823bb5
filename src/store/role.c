#include "store/role.h"

/* \Important is RFC 8457. */
static const struct {
	struct str use;
	enum mailbox_role role;
} uses[] = {
	{STR("\\Archive"), ROLE_ARCHIVE}, {STR("\\Drafts"), ROLE_DRAFTS},
	{STR("\\Flagged"), ROLE_FLAGGED}, {STR("\\Junk"), ROLE_JUNK},
	{STR("\\Sent"), ROLE_SENT},       {STR("\\Trash"), ROLE_TRASH},
	{STR("\\All"), ROLE_ALL},         {STR("\\Important"), ROLE_IMPORTANT},
};

struct str role_use(enum mailbox_role role)
{
	for (size_t i = 0; i < COUNT_OF(uses); i++) {
		if (uses[i].role == role)
			return uses[i].use;
	}
	return STR("");
}

enum mailbox_role role_of_use(struct str use)
{
	for (size_t i = 0; i < COUNT_OF(uses); i++) {
		if (str_same_nocase(uses[i].use, use))
			return uses[i].role;
	}
	return ROLE_NONE;
}
