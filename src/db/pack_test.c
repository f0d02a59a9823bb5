#include "db/pack.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "db/packgroup.h"
#include "rt/fault.h"

struct place {
	char folder[64];
	struct packs *packs;
	struct pack_scan scan;
	unsigned groups, operations;
	uint64_t durable;
	struct str last;
	char text[100];
};

static err_t take(void *arg, const struct pack_group *group)
{
	struct place *p = arg;
	struct str rest = group->payload, operation;

	p->groups++;
	while (pack_next_operation(&rest, &operation)) {
		p->operations++;
		CHECK(operation.len < sizeof p->text);
		memcpy(p->text, operation.ptr, operation.len);
		p->last = (struct str){p->text, operation.len};
	}
	return OK;
}

static err_t place_open(struct place *p)
{
	struct packs_options options = {.folder = p->folder, .pack_bytes_max = 2000};
	const char *why = "";

	p->groups = p->operations = 0;
	TRY(packs_open(&options, &p->packs, &why));
	TRY(packs_scan(p->packs, packs_first(p->packs),
		       packs_first_sequence(p->packs) - 1, take, p, &p->scan));
	p->durable = p->scan.sequence;
	return packs_start(p->packs, &p->scan, 1, false);
}

static void place_make(struct place *p)
{
	*p = (struct place){0};
	(void)snprintf(p->folder, sizeof p->folder, "/tmp/pack-test.XXXXXX");
	ASSERT(mkdtemp(p->folder));
	CHECK(place_open(p) == OK);
}

static const char *pack_file(const struct place *p, unsigned number)
{
	static char path[100];

	(void)snprintf(path, sizeof path, "%s/%08u.pack", p->folder, number);
	return path;
}

static void place_remove(struct place *p)
{
	packs_close(&p->packs);
	for (unsigned i = 1; i < 20; i++)
		(void)unlink(pack_file(p, i));
	(void)rmdir(p->folder);
}

static void add(struct place *p, const char *body, const char *operation,
		struct pack_body *at)
{
	struct pack_place place;

	CHECK(packs_begin(p->packs, &place) == OK);
	CHECK(packs_add_body(p->packs, 7, 8, 9, str_c(body), at) == OK);
	CHECK(packs_add_operation(p->packs, str_c(operation)) == OK);
}

static struct pack_place finish(struct place *p)
{
	struct pack_place end = {0};
	uint64_t sequence;

	CHECK(packs_write(p->packs, p->durable, &end, &sequence) == OK);
	CHECK(packs_flush(p->packs, 0) == OK);
	p->durable = sequence;
	return end;
}

static void check_body(struct place *p, struct pack_body body, const char *want)
{
	struct buf frame = BUF(1 << 20);
	uint64_t raw_size;

	CHECK(packs_read(p->packs, body, 0, 1 << 19, &frame, &raw_size) == OK);
	CHECK(raw_size == 9);
	CHECK_STR(buf_str(&frame), str_c(want));
	buf_fini(&frame);
}

TEST(groups_are_read_back_over_packs)
{
	struct place p;
	struct pack_body bodies[12];
	static char text[500];

	place_make(&p);
	memset(text, 'x', sizeof text - 1);
	for (unsigned i = 0; i < 12; i++) {
		add(&p, text, i == 11 ? "last" : "operation", &bodies[i]);
		(void)finish(&p);
	}
	CHECK(bodies[11].pack == 3);
	check_body(&p, bodies[0], text);
	packs_close(&p.packs);
	CHECK(place_open(&p) == OK);
	CHECK(p.groups == 12 && p.operations == 12 && p.scan.sequence == 12);
	CHECK(p.scan.damaged == 0 && !p.scan.is_torn);
	CHECK_STR(p.last, STR("last"));
	check_body(&p, bodies[11], text);
	place_remove(&p);
}

TEST(what_was_cut_back_or_dropped_was_never_there)
{
	struct place p;
	struct pack_body body, other;
	static char big[100000];

	memset(big, 'b', sizeof big - 1); /* borrowed, not copied */
	place_make(&p);
	add(&p, "one", "first", &body);
	struct pack_group_size size = packs_size(p.packs);

	CHECK(packs_add_body(p.packs, 1, 1, 9, str_c(big), &other) == OK);
	CHECK(packs_add_operation(p.packs, STR("second")) == OK);
	packs_cut_back(p.packs, size);
	CHECK(packs_add_body(p.packs, 1, 1, 9, str_c("three"), &other) == OK);
	(void)finish(&p);
	check_body(&p, body, "one");
	check_body(&p, other, "three");
	add(&p, "dropped", "dropped", &other);
	packs_drop(p.packs);
	add(&p, big, "last", &body);
	CHECK(packs_add_body(p.packs, 1, 1, 9, str_c("after"), &other) == OK);
	(void)finish(&p);
	packs_close(&p.packs);
	CHECK(place_open(&p) == OK);
	CHECK(p.groups == 2 && p.operations == 2);
	CHECK_STR(p.last, STR("last"));
	check_body(&p, body, big);
	check_body(&p, other, "after");
	place_remove(&p);
}

static void scribble(struct place *p, uint64_t offset)
{
	int fd = open(pack_file(p, 1), O_WRONLY | O_CLOEXEC);

	CHECK(pwrite(fd, "scribble", 8, (off_t)offset) == 8);
	(void)close(fd);
}

TEST(a_torn_end_is_told_from_damage)
{
	struct place p;
	struct pack_body body;

	place_make(&p);
	add(&p, "one", "1", &body);
	struct pack_place first = finish(&p);

	add(&p, "two", "2", &body);
	struct pack_place second = finish(&p);

	packs_close(&p.packs);
	scribble(&p, first.offset + 60);
	CHECK(place_open(&p) == OK);
	CHECK(p.groups == 1 && p.scan.is_torn && p.scan.damaged == 0);
	add(&p, "two", "2", &body); /* over the torn one */
	CHECK(finish(&p).offset == second.offset);
	add(&p, "three", "3", &body);
	(void)finish(&p);
	packs_close(&p.packs);
	scribble(&p, first.offset + 8);
	CHECK(place_open(&p) == OK);
	CHECK(p.groups == 2 && !p.scan.is_torn && p.scan.damaged == 1);
	CHECK_STR(p.last, STR("3"));
	check_body(&p, body, "three");
	place_remove(&p);
}

/* Groups 1 to count, the first one flushed; the others are written knowing only that
 * group as durable, but for the last one. */
static void add_many(struct place *p, unsigned count, uint64_t last_durable,
		     struct pack_place *ends)
{
	struct pack_body body;
	uint64_t sequence;

	add(p, "one", "1", &body);
	ends[0] = finish(p);
	for (unsigned i = 1; i < count; i++) {
		char text[2] = {(char)('1' + (int)i), '\0'};

		add(p, text, text, &body);
		CHECK(packs_write(p->packs, i + 1 == count ? last_durable : 1, &ends[i],
				  &sequence) == OK);
	}
	packs_close(&p->packs);
}

TEST(no_group_behind_one_that_was_never_durable_counts)
{
	struct place p;
	struct pack_body body;
	struct pack_place ends[4];

	place_make(&p);
	add_many(&p, 4, 1, ends);
	scribble(&p, ends[0].offset + 8); /* 2 is torn; 3 and 4 are whole */
	CHECK(place_open(&p) == OK);
	CHECK(p.groups == 1 && p.scan.is_torn && p.scan.damaged == 0);
	CHECK(p.scan.sequence == 1);
	add(&p, "new", "new", &body);
	CHECK(finish(&p).offset < ends[2].offset); /* what stood behind was cut */
	packs_close(&p.packs);
	CHECK(place_open(&p) == OK);
	CHECK(p.groups == 2 && !p.scan.is_torn && p.scan.damaged == 0);
	CHECK_STR(p.last, STR("new"));
	place_remove(&p);
}

TEST(a_group_that_never_arrived_ends_the_log)
{
	struct place p;
	struct pack_place ends[3];
	static const char zeros[200];

	place_make(&p);
	add_many(&p, 3, 1, ends);
	int fd = open(pack_file(&p, 1), O_WRONLY | O_CLOEXEC);
	size_t len = ends[1].offset - ends[0].offset;

	CHECK(len <= sizeof zeros &&
	      pwrite(fd, zeros, len, (off_t)ends[0].offset) == (ssize_t)len);
	(void)close(fd);
	CHECK(place_open(&p) == OK);
	CHECK(p.groups == 1 && p.scan.is_torn && p.scan.damaged == 0);
	place_remove(&p);
}

TEST(a_group_that_a_later_one_knew_to_be_durable_is_damage)
{
	struct place p;
	struct pack_place ends[4];

	place_make(&p);
	add_many(&p, 4, 2, ends);
	scribble(&p, ends[0].offset + 8);
	CHECK(place_open(&p) == OK);
	CHECK(p.groups == 3 && p.scan.damaged == 1 && p.scan.sequence == 4);
	place_remove(&p);
}

TEST(a_torn_group_still_tells_what_was_durable)
{
	struct place p;
	struct pack_place ends[3];

	place_make(&p);
	add_many(&p, 3, 2, ends);
	scribble(&p, ends[0].offset + 60);
	scribble(&p, ends[1].offset + 60); /* behind the header */
	CHECK(place_open(&p) == OK);
	CHECK(p.groups == 1 && p.scan.is_torn && p.scan.damaged == 1);
	place_remove(&p);
}

static void write_at(const struct place *p, uint64_t offset, const char *bytes,
		     size_t len)
{
	int fd = open(pack_file(p, 1), O_WRONLY | O_CLOEXEC);

	CHECK(pwrite(fd, bytes, len, (off_t)offset) == (ssize_t)len);
	(void)close(fd);
}

/* Three groups, of which 1 is known to be durable, and then what changes the second. */
static void check_frame(const char *instead, uint64_t durable, unsigned groups)
{
	struct place p;
	struct pack_place ends[3];

	place_make(&p);
	add_many(&p, 3, durable, ends);
	write_at(&p, ends[0].offset + GROUP_HEADER_BYTES + BODY_HEADER_BYTES, instead, 1);
	CHECK(place_open(&p) == OK);
	CHECK(p.groups == groups && p.scan.damaged == 0);
	CHECK(p.scan.is_torn == (groups < 3) && p.scan.bodies_lost == (groups == 3));
	place_remove(&p);
}

TEST(a_body_that_is_lost_or_punched_out_takes_no_group_with_it)
{
	check_frame("x", 2, 3);
	check_frame("\0", 2, 3);
	/* But what the power cut may have torn was promised to nobody. */
	check_frame("x", 1, 1);
	check_frame("\0", 1, 1);
}

static err_t take_bodies(void *arg, const struct pack_group *group)
{
	struct pack_found found;
	struct str rest = group->payload;
	char *states = arg;

	while (pack_next_body(&rest, &found)) {
		CHECK(found.account == 7 && found.message == 8 && found.raw_size == 9);
		states[strlen(states)] = "wpb"[found.state];
	}
	return OK;
}

TEST(bodies_are_found_in_their_groups)
{
	struct place p;
	struct pack_body body[3];
	struct pack_scan scan;
	char states[10] = "";

	place_make(&p);
	for (unsigned i = 0; i < 3; i++) {
		add(&p, "body", "operation", &body[i]);
		(void)finish(&p);
	}
	write_at(&p, body[0].offset + BODY_HEADER_BYTES, "\0\0\0\0", 4);
	write_at(&p, body[1].offset + BODY_HEADER_BYTES, "x", 1);
	CHECK(packs_scan(p.packs, packs_first(p.packs), 0, take_bodies, states, &scan) ==
	      OK);
	CHECK(scan.groups == 3 && scan.damaged == 0 && scan.bodies_lost == 2);
	CHECK_STR(str_c(states), STR("pbw"));
	place_remove(&p);
}

TEST(a_mail_that_looks_like_a_group_is_none)
{
	struct place p;
	struct pack_body body;
	char forged[GROUP_HEADER_BYTES];
	struct group_header header = {.records = 1, .salt = 4711, .sequence = 2};
	struct pack_place at;

	group_header_write(forged, &header);
	place_make(&p);
	CHECK(packs_begin(p.packs, &at) == OK);
	CHECK(packs_add_body(p.packs, 1, 1, 9, (struct str){forged, sizeof forged},
			     &body) == OK);
	(void)finish(&p);
	packs_close(&p.packs);
	scribble(&p, at.offset);
	CHECK(place_open(&p) == OK);
	CHECK(p.groups == 0 && p.scan.is_torn);
	place_remove(&p);
}

TEST(after_a_failed_flush_nothing_is_added_before_mending)
{
	struct place p;
	struct pack_body body;
	struct pack_place at;
	uint64_t sequence;

	place_make(&p);
	add(&p, "one", "1", &body);
	(void)finish(&p);
	add(&p, "two", "2", &body);
	CHECK(packs_write(p.packs, 0, &at, &sequence) == OK);
	CHECK(fault_arm(STR("pack.flush:1:EIO")));
	CHECK(packs_flush(p.packs, 1) != OK && packs_is_broken(p.packs));
	fault_disarm();
	CHECK(packs_begin(p.packs, &at) != OK);
	CHECK(packs_mend(p.packs) == OK);
	p.groups = 0;
	CHECK(packs_scan(p.packs, packs_first(p.packs), 0, take, &p, &p.scan) == OK);
	CHECK(p.groups >= 1);
	CHECK(packs_start(p.packs, &p.scan, 1, true) == OK);
	add(&p, "three", "3", &body);
	CHECK(body.pack == 2);
	(void)finish(&p);
	check_body(&p, body, "three");
	place_remove(&p);
}

TEST(a_damaged_header_is_made_good_for)
{
	struct place p;
	struct pack_body body;

	place_make(&p);
	add(&p, "one", "1", &body);
	(void)finish(&p);
	packs_close(&p.packs);
	scribble(&p, 20);
	CHECK(place_open(&p) == OK);
	CHECK(p.groups == 1 && p.scan.damaged == 0 && packs_guessed(p.packs) == 1);
	check_body(&p, body, "one");
	CHECK(packs_restore_headers(p.packs, 3) == OK);
	packs_close(&p.packs);
	CHECK(place_open(&p) == OK);
	CHECK(packs_guessed(p.packs) == 0 && packs_epoch(p.packs) == 3);
	place_remove(&p);
}

TEST(a_pack_of_another_format_is_refused)
{
	struct place p;
	struct pack_body body;
	char bytes[PACK_HEADER_BYTES];
	struct pack_header header = {.format = PACK_FORMAT + 1, .number = 1};

	place_make(&p);
	add(&p, "one", "1", &body);
	(void)finish(&p);
	packs_close(&p.packs);
	pack_header_write(bytes, &header);
	write_at(&p, 0, bytes, sizeof bytes);
	CHECK(place_open(&p) == ERR_SYNTAX);
	place_remove(&p);
}

TEST(a_pack_without_anything_readable_is_refused)
{
	struct place p;
	struct pack_body body;
	static const char zeros[400];

	place_make(&p);
	add(&p, "one", "1", &body);
	(void)finish(&p);
	packs_close(&p.packs);
	write_at(&p, 0, zeros, sizeof zeros);
	CHECK(place_open(&p) == ERR_SYNTAX);
	place_remove(&p);
}

static void check_run(struct place *p, const struct pack_body *bodies, size_t count,
		      size_t want)
{
	struct pack_frame frames[12];
	struct buf octets = BUF(1 << 16);

	CHECK(packs_read_run(p->packs, bodies, count, &octets, frames) == want);
	for (size_t i = 0; i < want; i++) {
		struct str frame = str_first(str_skip(buf_str(&octets), frames[i].from),
					     bodies[i].length);

		CHECK(frames[i].err == OK && frames[i].raw_size == 9);
		CHECK(frame.len == 300 && frame.ptr[0] == frame.ptr[299]);
	}
	buf_fini(&octets);
}

TEST(bodies_that_stand_together_are_read_at_once)
{
	struct place p;
	struct pack_body bodies[12], backwards[2];
	struct pack_frame frames[12];
	struct buf little = BUF(800), octets = BUF(1 << 16);
	char text[301] = "";
	size_t in_first = 0;

	place_make(&p);
	for (unsigned i = 0; i < 12; i++) {
		memset(text, 'a' + (char)i, 300);
		add(&p, text, "operation", &bodies[i]);
		(void)finish(&p);
		in_first += bodies[i].pack == bodies[0].pack;
	}
	CHECK(in_first > 2 && in_first < 12);
	check_run(&p, bodies, 12, in_first);
	check_run(&p, bodies + 1, in_first - 1, in_first - 1);
	check_run(&p, bodies, 1, 0); /* alone */
	backwards[0] = bodies[1];
	backwards[1] = bodies[0];
	check_run(&p, backwards, 2, 0);
	/* Not beyond the bound. */
	CHECK(packs_read_run(p.packs, bodies, 12, &little, frames) < in_first);
	CHECK(little.len <= 800);
	/* One that is damaged takes no other along. */
	write_at(&p, bodies[1].offset + BODY_HEADER_BYTES, "?", 1);
	CHECK(packs_read_run(p.packs, bodies, 12, &octets, frames) == in_first);
	for (size_t i = 0; i < in_first; i++)
		CHECK(frames[i].err == (i == 1 ? ERR_SYNTAX : OK));
	buf_fini(&little);
	buf_fini(&octets);
	place_remove(&p);
}
