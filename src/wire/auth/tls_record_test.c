#include "wire/auth/tls_record.h"

#include "base/test.h"

TEST(the_first_field_of_a_name_counts_and_all_must_be_well_formed)
{
	static const struct {
		const char *text, *value; /* NULL: refused */
	} cases[] = {
		{"v=T; a=1; n=x=y ; b=2", "x=y"},
		{"v=T;n=1;n=2", "1"},
		{"v=T;n=1;b=x=y", NULL},
		{"v=T;n=1;b=\x80", NULL},
		{"v=T;n=1;b", NULL},
		{"v=T;n=1;.b=1", NULL},
		{"v=T;n=1;a2345678901234567890123456789012=1", "1"},
		{"v=T;n=1;a23456789012345678901234567890123=1", NULL},
		{"v=T;N=1", NULL},
		{"v=T n=1", NULL},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str value = STR("untouched");
		bool is_found = tls_record_find(str_c(cases[i].text), STR("v=T"),
						STR("n"), &value);

		CHECK(is_found == (cases[i].value != NULL));
		CHECK_STR(value,
			  cases[i].value ? str_c(cases[i].value) : STR("untouched"));
	}
}
