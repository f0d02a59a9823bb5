/* Failures on demand: tests arm a named site, and the program fails there as it would if
 * the system did.  Unarmed, a site costs one predictable branch. */
#pragma once

#include "base/str.h"

/* What fault_point() gives for the action `short`: write only half of it. */
enum { FAULT_SHORT = -1, FAULT_TORN = -2 };

extern bool fault_is_armed;
int fault_hit(const char *site);

/* 0, or the errno to fail with, or FAULT_SHORT or FAULT_TORN (sites that write).  Any
 * thread may call it. */
static inline int fault_point(const char *site)
{
	return __builtin_expect(fault_is_armed, 0) ? fault_hit(site) : 0;
}

/* "site:nth:ACTION", several with commas between; nth counts from 1, "3+" means the third
 * and all later.  ACTION is an errno's name (EIO, ENOSPC, EDQUOT, EMFILE, ENOMEM, EINTR,
 * EACCES), `kill` (SIGKILL to this process), `crash` (SIGSEGV), `delay=MS`, `short` (half
 * of one write leaves, the caller's loop must go on) or `torn` (half of it leaves, then
 * SIGKILL). False if it is not understood or there are too many.  Before threads start,
 * or with none at a site. */
[[nodiscard]] bool fault_arm(struct str spec);
void fault_disarm(void);
/* How often an armed site was passed; 0 if it is not armed. */
unsigned fault_count(const char *site);
