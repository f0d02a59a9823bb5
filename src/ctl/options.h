/* The options of the command line: one table from which they are read and explained. */
#pragma once

#include "base/base.h"

struct ctl;

#define DEFAULT_CONFIG "/etc/postrider/postrider.conf"

/* Takes the options out of argv, wherever they stand; false, and said so, if one is
 * unknown.  The words left begin at getopt's optind. */
bool options_read(struct ctl *ctl, int argc, char **argv);
/* Explains these (enum ctl_option) and those that every command knows. */
void options_print(uint64_t options);
