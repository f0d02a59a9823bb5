#include "wire/sieve/script.h"

#include "base/buf.h"

/* Trees are as deep and as big as they may be; what is written out again, is read again
 * as the same. */
struct count {
	size_t nodes, strings;
};

static void write_string(struct buf *out, struct str text)
{
	buf_add_byte(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"' || text.ptr[i] == '\\')
			buf_add_byte(out, '\\');
		buf_add_byte(out, text.ptr[i]);
	}
	buf_add_byte(out, '"');
}

static void write_argument(struct buf *out, const struct sieve_argument *argument,
			   struct count *count)
{
	size_t strings = 0;

	count->strings++;
	if (argument->kind == SIEVE_IS_TAG)
		buf_printf(out, ":%.*s ", STR_FMT(argument->tag));
	if (argument->kind == SIEVE_IS_NUMBER)
		buf_printf(out, "%llu ", (unsigned long long)argument->number);
	if (argument->kind != SIEVE_IS_STRINGS)
		return;
	for (const struct sieve_string *s = argument->strings; s; s = s->next) {
		buf_add_byte(out, strings++ == 0 ? '[' : ',');
		write_string(out, s->text);
	}
	ASSERT(strings == argument->string_count && strings > 0);
	buf_add_byte(out, ']');
	count->strings += strings;
}

static void write_nodes(struct buf *out, const struct sieve_node *node, bool is_test,
			unsigned depth, struct count *count)
{
	ASSERT(depth <= 2 * SIEVE_DEPTH_MAX);
	for (const struct sieve_node *first = node; node; node = node->next) {
		if (is_test && node != first)
			buf_add_byte(out, ',');
		count->nodes++;
		buf_printf(out, "%.*s ", STR_FMT(node->name));
		for (const struct sieve_argument *a = node->arguments; a; a = a->next)
			write_argument(out, a, count);
		ASSERT((node->test_count > 0) == (node->tests != NULL));
		buf_add_c(out, node->has_test_list ? "(" : "");
		write_nodes(out, node->tests, true, depth + 1, count);
		buf_add_c(out, node->has_test_list ? ")" : "");
		ASSERT(!is_test || !node->has_block);
		buf_add_c(out, node->has_block ? "{" : "");
		write_nodes(out, node->block, false, depth + 1, count);
		if (!is_test)
			buf_add_byte(out, node->has_block ? '}' : ';');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str script = {(const char *)data, len};
	struct buf first = BUF(1 << 22), second = BUF(1 << 22);
	struct count count = {0, 0};
	struct sieve_node *commands;
	struct sieve_flaw flaw;
	struct arena arena;

	arena_init(&arena, 1 << 24);
	if (sieve_script_parse(script, &arena, &commands, &flaw)) {
		write_nodes(&first, commands, false, 0, &count);
		ASSERT(count.nodes <= SIEVE_NODES_MAX);
		ASSERT(sieve_script_parse(buf_str(&first), &arena, &commands, &flaw) ||
		       first.len > SIEVE_SCRIPT_BYTES_MAX);
		if (first.len <= SIEVE_SCRIPT_BYTES_MAX) {
			write_nodes(&second, commands, false, 0, &count);
			ASSERT(str_same(buf_str(&first), buf_str(&second)));
		}
	} else {
		ASSERT(flaw.line > 0 && flaw.sentence.len > 0);
	}
	buf_fini(&first);
	buf_fini(&second);
	arena_fini(&arena);
	return 0;
}
