/* One document on its way to its text; inside extractd/ only. */
#pragma once

#include "extract/extract.h"

struct terms;

struct job {
	struct buf document, text;
	struct extract_bounds bounds;
	struct extract_reply reply;
	struct terms *terms; /* scratch */
};

void job_init(struct job *job);
void job_fini(struct job *job);
void job_clear(struct job *job);
void job_begin(struct job *job, size_t size, const struct extract_bounds *bounds);
/* Of the document, which is whole: the text, cut to the bounds, and the reply.  By any
 * thread; blocks. */
void job_run(void *job);
