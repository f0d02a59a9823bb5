/* The server: the command lines of "postrider dev", "postrider serve" and, for its own
 * children, "postrider child".  Each returns the exit status: 0 ended in good order, 1 it
 * could not run, 2 the command line was not understood.
 */
#pragma once

/* argv[0] is the word itself. */
int dev_main(int argc, char **argv);
int serve_main(int argc, char **argv);
int child_main(int argc, char **argv);
