/* The places in a program that ask the disk for something, found as they ask; and failing
 * at one of them. */
#pragma once

#include <stdbool.h>

/* The caller, an address in the program, makes that call on that path.  0, or the errno
 * to fail with; -1: to die in the middle. */
int site_failure(const char *call, const char *path, void *caller);
/* The same for calls that have no middle.  True if it fails; errno says how. */
bool site_fails(const char *call, const char *path, void *caller);
void site_die(void);

/* "SITE:N:ACTION"; what is no such thing arms nothing. */
void sites_arm(const char *spec);
/* One line a place: its name, and how often it asked. */
void sites_write(const char *path);
