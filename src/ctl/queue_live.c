/* The queue by destination and cause, each second anew. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "ctl/queue.h"
#include "rt/clock.h"
#include "rt/task.h"
#include "store/store.h"

enum { SHOWN = 20, PAGE = 5000, SCREEN_BYTES = 1 << 20 };

/* The domains with most rows. */
struct top {
	struct queue_count all;
	struct queue_domain domains[SHOWN + 1]; /* the last is room for the next */
	char names[SHOWN + 1][QUEUE_DOMAIN_BYTES];
	size_t count, domain_count;
};

static void top_add(struct top *top, const struct queue_domain *domain)
{
	size_t at = top->count;

	top->domain_count++;
	while (at > 0 && top->domains[at - 1].count.rows < domain->count.rows)
		at--;
	if (at == SHOWN)
		return;
	size_t moved = (top->count < SHOWN ? top->count : SHOWN - 1) - at;

	memmove(&top->domains[at + 1], &top->domains[at], moved * sizeof *top->domains);
	memmove(top->names[at + 1], top->names[at], moved * sizeof *top->names);
	for (size_t i = at; i <= at + moved; i++)
		top->domains[i].domain.ptr = top->names[i];
	top->domains[at].count = domain->count;
	top->domains[at].domain = (struct str){top->names[at], domain->domain.len};
	memcpy(top->names[at], domain->domain.ptr ? domain->domain.ptr : "",
	       domain->domain.len);
	if (top->count < SHOWN)
		top->count++;
}

static enum store_outcome top_get(struct ctl *ctl, struct top *top)
{
	struct arena arena;
	struct str after = STR("");
	char last[QUEUE_DOMAIN_BYTES];
	enum store_outcome outcome;
	size_t count;

	*top = (struct top){0};
	arena_init(&arena, QUEUE_ARENA_BYTES);
	do {
		struct queue_domain *domains;

		arena_reset(&arena);
		outcome = store_queue_counts(ctl->store, after, PAGE, &arena, &top->all,
					     &domains, &count);
		if (outcome != STORE_OK || count == 0)
			break;
		for (size_t i = 0; i < count; i++)
			top_add(top, &domains[i]);
		after = (struct str){last, domains[count - 1].domain.len};
		if (after.len > 0)
			memcpy(last, domains[count - 1].domain.ptr, after.len);
	} while (count == PAGE);
	arena_fini(&arena);
	return outcome;
}

/* ---- printing ---------------------------------------------------------------------- */

static void print_line(struct buf *out, struct str name, const struct queue_count *c)
{
	buf_printf(out, "%-30.*s %9llu %7llu %9llu", STR_FMT(str_first(name, 30)),
		   (unsigned long long)c->rows, (unsigned long long)c->held,
		   (unsigned long long)c->leased);
	for (unsigned i = 0; i < CAUSES; i++)
		buf_printf(out, " %7llu", (unsigned long long)c->causes[i]);
	buf_add_byte(out, '\n');
}

static void print_top(struct arena *arena, struct buf *out, const struct top *top)
{
	buf_printf(out, "%.*s  %zu domain%s\n\n",
		   STR_FMT(queue_time_text(arena, clock_s())), top->domain_count,
		   top->domain_count == 1 ? "" : "s");
	buf_printf(out, "%-30s %9s %7s %9s", "to", "waiting", "held", "under way");
	for (unsigned i = 0; i < CAUSES; i++)
		buf_printf(out, " %7s", queue_cause_text((enum queue_cause)i));
	buf_add_byte(out, '\n');
	print_line(out, STR("(all)"), &top->all);
	for (size_t i = 0; i < top->count; i++)
		print_line(out, top->domains[i].domain, &top->domains[i].count);
}

static json_t *count_json(const struct queue_count *count)
{
	json_t *causes = json_object();

	for (unsigned i = 0; i < CAUSES; i++)
		(void)json_object_set_new(causes, queue_cause_text((enum queue_cause)i),
					  json_integer((json_int_t)count->causes[i]));
	return json_pack("{s:I,s:I,s:I,s:o}", "waiting", (json_int_t)count->rows, "held",
			 (json_int_t)count->held, "under_way", (json_int_t)count->leased,
			 "causes", causes);
}

static json_t *top_json(const struct top *top)
{
	json_t *domains = json_array();

	for (size_t i = 0; i < top->count; i++) {
		json_t *domain = count_json(&top->domains[i].count);

		(void)json_object_set_new(domain, "domain",
					  ctl_json(top->domains[i].domain));
		(void)json_array_append_new(domains, domain);
	}
	return json_pack("{s:o,s:o}", "all", count_json(&top->all), "domains", domains);
}

static void refresh(const struct top *top)
{
	SCOPED(buf_fini) struct buf screen = BUF(SCREEN_BYTES);
	SCOPED(arena_fini) struct arena arena;

	if (isatty(STDOUT_FILENO))
		buf_add(&screen, STR("\033[H\033[J")); /* home, and clear to the end */
	arena_init(&arena, 1000);
	print_top(&arena, &screen, top);
	(void)fwrite(screen.ptr, 1, screen.len, stdout);
	(void)fflush(stdout);
}

void queue_live(struct ctl *ctl)
{
	struct top *top = NEW(struct top);
	bool is_once = ctl->is_json || (ctl->options & CTL_ONCE);
	enum store_outcome outcome = top_get(ctl, top);

	while (outcome == STORE_OK && !is_once) { /* until Ctrl-C, or the server ends */
		refresh(top);
		if (task_sleep_ms(1000) != OK)
			break;
		outcome = top_get(ctl, top);
	}
	if (outcome != STORE_OK)
		ctl_fail_store(ctl, outcome);
	else if (is_once)
		print_top(&ctl->arena, &ctl->out, top);
	if (outcome == STORE_OK)
		ctl->json = top_json(top);
	mem_free(top);
}
