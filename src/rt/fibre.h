/* Changing stacks: what a task is made of.  Used inside rt/ only, by the loop's thread
 * only.  The sanitizers are told of every change. */
#pragma once

#include "base/base.h"

struct fibre {
	void *sp; /* where its registers are saved while another runs */
	const void *bottom;
	size_t size;
	void (*run)(void *);
	void *arg;
	void *fake_stack, *thread; /* the sanitizers' */
};

/* Prepares run(arg) on the stack [bottom, bottom + size); top-aligned to 16.  run must
 * not return but leave by fibre_end(). */
void fibre_init(struct fibre *fibre, void *bottom, size_t size, void (*run)(void *),
		void *arg);
/* Saves the running one in from, and goes on where to stopped.  The first from of all is
 * the thread's own stack and needs no fibre_init(). */
void fibre_switch(struct fibre *from, struct fibre *to);
/* The same, never to come back to from. */
__attribute__((noreturn)) void fibre_end(struct fibre *from, struct fibre *to);

/* In assembly: saves the registers that calls preserve on the running stack, stores the
 * stack pointer in *save, and restores from load. */
void fibre_registers(void **save, void *load);
/* What fibre_registers() finds on a stack that has not run yet, so that it goes to start.
 */
void *fibre_first_registers(void *bottom, size_t size, void (*start)(void));
