#include "imap/roster.h"

#include "base/test.h"

static const struct mailbox_row rows[] = {
	{.id = 1, .name = STR("INBOX")},
	{.id = 9, .name = STR("Lists")},
	{.id = 4, .parent = 9, .name = STR("a")},
	{.id = 7, .parent = 4, .name = STR("b"), .is_subscribed = true},
};

static void fill(struct roster *roster, const struct mailbox_row *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		roster_add(roster, &list[i]);
	roster_settle(roster);
}

static void check_path(const struct roster *roster, uint64_t id, const char *wanted)
{
	SCOPED(buf_fini) struct buf path = BUF(1000);
	const struct roster_entry *entry = roster_find(roster, id);

	CHECK(entry != NULL);
	if (!entry)
		return;
	roster_path(roster, entry, &path);
	CHECK_STR(buf_str(&path), str_c(wanted));
}

TEST(a_roster_finds_mailboxes_and_their_names)
{
	SCOPED(roster_fini) struct roster roster = {0};

	fill(&roster, rows, COUNT_OF(rows));
	check_path(&roster, 1, "INBOX");
	check_path(&roster, 7, "Lists/a/b");
	CHECK(!roster_find(&roster, 2) && !roster_find(&roster, 10));
	CHECK(roster_find(&roster, 9)->children == 1);
	CHECK(roster_find(&roster, 7)->children == 0);
	CHECK(roster_find(&roster, 7)->is_subscribed);
}

TEST(a_roster_follows_changes)
{
	SCOPED(roster_fini) struct roster roster = {0};
	struct mailbox_row moved = rows[3], added = {.id = 5, .name = STR("new")};

	fill(&roster, rows, COUNT_OF(rows));
	roster_find(&roster, 7)->events = 3;
	moved.parent = 1;
	moved.name = STR("c");
	roster_put(&roster, &moved);
	check_path(&roster, 7, "INBOX/c");
	CHECK(roster_find(&roster, 7)->events == 3);
	CHECK(roster_find(&roster, 4)->children == 0);
	CHECK(roster_find(&roster, 1)->children == 1);
	CHECK(roster_put(&roster, &added)->id == 5);
	check_path(&roster, 5, "new");
	roster_remove(&roster, 4);
	CHECK(roster.count == 4 && !roster_find(&roster, 4));
	CHECK(roster_find(&roster, 9)->children == 0);
	check_path(&roster, 9, "Lists");
}

/* Damage must not keep anybody busy. */
TEST(a_roster_ends_where_mailboxes_stand_in_a_circle)
{
	SCOPED(roster_fini) struct roster roster = {0};
	const struct mailbox_row circle[] = {
		{.id = 2, .parent = 3, .name = STR("x")},
		{.id = 3, .parent = 2, .name = STR("y")},
		{.id = 4, .parent = 99, .name = STR("orphan")},
	};
	SCOPED(buf_fini) struct buf path = BUF(1000);

	fill(&roster, circle, COUNT_OF(circle));
	roster_path(&roster, roster_find(&roster, 2), &path);
	CHECK(path.len == 2 * MAILBOX_DEPTH_MAX + 1);
	check_path(&roster, 4, "orphan");
}

TEST(a_roster_has_a_root_and_takes_many_more)
{
	SCOPED(roster_fini) struct roster roster = {0};

	fill(&roster, rows, COUNT_OF(rows) - 1);
	roster_root(&roster, STR("Other Users/ann"));
	check_path(&roster, 4, "Other Users/ann/Lists/a");
	roster_add(&roster, &rows[3]);
	roster_settle(&roster);
	check_path(&roster, 7, "Other Users/ann/Lists/a/b");
	CHECK(roster_find(&roster, 9)->children == 1);
	CHECK(roster_find(&roster, 4)->children == 1);
	roster_root(&roster, STR("Shared/x"));
	check_path(&roster, 1, "Shared/x/INBOX");
}
