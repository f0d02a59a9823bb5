#include "storage/embedded.h"
#include "storage/fixture.h"

TEST(pins_are_counted_and_the_oldest_stands_for_all)
{
	struct fixture f = {0};

	fixture_open(&f);
	CHECK(!storage_is_pinned(f.storage));
	CHECK(storage_pinned_sequence(f.storage) == UINT64_MAX);
	fixture_fill(&f, 1);
	uint64_t sequence = f.storage->work.state.sequence;

	storage_pin(f.storage);
	fixture_fill(&f, 2);
	storage_pin(f.storage);
	storage_unpin(f.storage);
	CHECK(storage_is_pinned(f.storage));
	CHECK(storage_pinned_sequence(f.storage) == sequence);
	storage_unpin(f.storage);
	CHECK(!storage_is_pinned(f.storage));
	storage_pin(f.storage);
	CHECK(storage_pinned_sequence(f.storage) == sequence + 2);
	storage_unpin(f.storage);
	fixture_close(&f);
}
