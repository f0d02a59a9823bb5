/* Is a store what it must be after the power went? */
#pragma once

#include "base/str.h"
#include "powercut/note.h"
#include "powercut/trace.h"

/* What had been promised by some moment of a trace. */
struct expected {
	uint64_t acknowledged, submitted; /* the last group; 0: none */
	const struct intent **intents;    /* the states it may be in, oldest first */
	size_t count, room;
	size_t least; /* index of the last one acknowledged or shown, + 1 */
};

/* The payload stays where it is. */
void expected_follow(struct expected *expected, const struct trace_record *record,
		     struct str payload);
/* NULL, or what is wrong with the store in that folder, which is changed. */
const char *verify(const char *folder, const struct expected *expected, uint64_t seed);
