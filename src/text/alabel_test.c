#include "text/alabel.h"

#include "base/test.h"

static const struct {
	struct str name, ascii;
} cases[] = {
	{STR("Example.ORG"), STR("Example.ORG")},
	{STR("b\xc3\xbc"
	     "cher.example"),
	 STR("xn--bcher-kva.example")},
	{STR("B\xc3\xbc"
	     "cher.example"),
	 STR("xn--bcher-kva.example")},
	{STR("fa\xc3\x9f.example"), STR("xn--fa-hia.example")},
	{STR("\xc3\xbc\xc3"), STR("")},
	{STR("\xc3\xbc\0x"), STR("")},
};

TEST(names_in_utf8_become_a_labels)
{
	struct arena arena;
	struct str ascii;

	arena_init(&arena, 10000);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		CHECK(alabel_name(cases[i].name, &arena, &ascii) ==
		      (cases[i].ascii.len > 0));
		CHECK_STR(ascii, cases[i].ascii);
	}
	arena_fini(&arena);
}
