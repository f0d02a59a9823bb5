#include "text/alabel.h"

#include <idn2.h>

#include "base/utf8.h"
#include "rt/task.h"

struct idna {
	char given[4 * ALABEL_NAME_MAX + 1];
	uint8_t *ascii; /* NULL if given is no domain name */
};

static void idna_run(void *arg)
{
	struct idna *idna = arg;

	if (idn2_lookup_u8((const uint8_t *)idna->given, &idna->ascii,
			   IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		idna->ascii = NULL;
}

bool alabel_name(struct str name, struct arena *arena, struct str *ascii)
{
	struct idna idna = {.ascii = NULL};
	bool is_good;

	*ascii = STR("");
	if (utf8_ascii_len(name) == name.len)
		return arena_copy(arena, name, ascii);
	if (!utf8_valid(name) || !str_to_c(name, idna.given, sizeof idna.given))
		return false;
	on_big_stack(idna_run, &idna);
	is_good = idna.ascii && arena_copy(arena, str_c((const char *)idna.ascii), ascii);
	idn2_free(idna.ascii);
	return is_good;
}
