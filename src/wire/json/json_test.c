#include "wire/json/json.h"

#include "base/test.h"

static bool is_whole(struct str text)
{
	struct cursor c = cur_over(text);
	struct str value;

	return js_take(&c, &value) && cur_done(c);
}

TEST(takes_json_and_nothing_else)
{
	static const char *const good[] = {
		"{}",
		"[]",
		" [ ] ",
		"\t{\r\n}",
		"0",
		"-0",
		"1.5",
		"-1.5e+10",
		"1E5",
		"2e-1",
		"true",
		"false",
		"null",
		"\"\"",
		"\"a\\\"b\\\\\\/\\b\\f\\n\\r\\t\\u00e4\"",
		"\"\xc3\xa4\"",
		"{\"a\":1}",
		"{ \"a\" : [ 1 , {\"b\":null} ] , \"c\" : \"d\" }",
		"[[],[[]],{}]",
		"[1,2,3]",
		"\"\\ud83d\\ude00\"",
		"\"\\ud83d\""};
	static const char *const bad[] = {"",          " ",
					  "{",         "[",
					  "}",         "]",
					  "{]",        "[}",
					  "[1,]",      "[,1]",
					  "[1 2]",     "{\"a\"}",
					  "{\"a\":}",  "{\"a\":1,}",
					  "{a:1}",     "{'a':1}",
					  "01",        "-",
					  "1.",        ".5",
					  "1e",        "+1",
					  "1e+",       "tru",
					  "True",      "nul",
					  "\"",        "\"\\x\"",
					  "\"\\u12\"", "\"\\u12g4\"",
					  "\"a\nb\"",  "\"\xff\"",
					  "\"\xc3\"",  "[1]]",
					  "{}{}",      "NaN",
					  "// x\n1",   "{\"a\":1 \"b\":2}",
					  "{1:2}",     "\"\\",
					  "[1,2",      "{\"a\"",
					  "{\"a\":1,"};

	for (size_t i = 0; i < COUNT_OF(good); i++)
		CHECK(is_whole(str_c(good[i])));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(!is_whole(str_c(bad[i])));
	CHECK(!is_whole((struct str){"\"\0\"", 3}));
}

TEST(json_nests_only_so_deep)
{
	char text[2 * JSON_DEPTH_MAX + 2];

	memset(text, '[', JSON_DEPTH_MAX + 1);
	memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	CHECK(!is_whole((struct str){text, sizeof text}));
	CHECK(is_whole((struct str){text + 1, sizeof text - 2}));
}

TEST(walks_through_objects_and_arrays)
{
	struct str text = STR("{ \"a\" : [ 1, \"x\" ] , \"b\":{}, \"a\" : 7 }"), value,
		   name;
	struct cursor c = cur_over(text);
	struct js_items object, array;

	CHECK(js_take(&c, &value) && !js_array(value, &array));
	CHECK(js_object(value, &object));
	CHECK(js_next(&object, &name, &value) && js_is(name, STR("a")));
	CHECK(!js_is(name, STR("")) && !js_is(name, STR("b")) && !js_is(name, STR("aa")));
	CHECK_STR(value, STR("[ 1, \"x\" ]"));
	CHECK(js_array(value, &array) && js_next(&array, &name, &value));
	CHECK_STR(value, STR("1"));
	CHECK_STR(name, STR(""));
	CHECK(js_next(&array, &name, &value));
	CHECK_STR(value, STR("\"x\""));
	CHECK(!js_next(&array, &name, &value) && !js_next(&array, &name, &value));
	CHECK(js_next(&object, &name, &value) && js_is(name, STR("b")));
	CHECK(js_object(value, &array) && !js_next(&array, &name, &value));
	CHECK(js_next(&object, &name, &value));
	CHECK_STR(value, STR("7"));
	CHECK(!js_next(&object, &name, &value));
	array = (struct js_items){cur_over(STR("\"a\" 1}")), true}; /* never taken */
	CHECK(!js_next(&array, &name, &value));
}

TEST(reads_strings_and_counts_of_json)
{
	static const struct {
		const char *raw, *text; /* NULL: none */
	} cases[] = {
		{"\"plain\"", "plain"},
		{"\"\"", ""},
		{"\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\"", "a\"\\/\b\f\n\r\tz"},
		{"\"\\u00E4\\u20ac\"", "\xc3\xa4\xe2\x82\xac"},
		{"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80"},
		{"\"\\ud83dx\"", "\xef\xbf\xbdx"},
		{"\"\\ude00\"", "\xef\xbf\xbd"},
		{"\"\\ud83d\\u0041\"", "\xef\xbf\xbd"
				       "A"},
		{"1", NULL},
		{"\"a\" ", NULL},
		{"null", NULL},
	};
	SCOPED(arena_fini) struct arena arena;
	uint64_t count;

	arena_init(&arena, 4096);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str text = STR("");

		CHECK(js_text(str_c(cases[i].raw), &arena, &text) == !!cases[i].text);
		CHECK_STR(text, str_c(cases[i].text ? cases[i].text : ""));
	}
	CHECK(js_count(STR("42"), 100, &count) && count == 42);
	CHECK(!js_count(STR("101"), 100, &count) && !js_count(STR("-1"), 100, &count));
	CHECK(!js_count(STR("1.0"), 100, &count) && !js_count(STR("\"1\""), 100, &count));
}

TEST(a_full_arena_is_no_string)
{
	SCOPED(arena_fini) struct arena arena;
	struct str text;

	arena_init(&arena, 0);
	CHECK(js_text(STR("\"borrowed\""), &arena, &text));
	CHECK(!js_text(STR("\"a\\nb\""), &arena, &text));
}
