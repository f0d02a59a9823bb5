/* The command line: "postrider WORD VERB ...", one file a word.  It talks to the running
 * server through its control socket, or, when none runs, to a store and a vault that it
 * starts for itself. */
#pragma once

/* Understands and runs a command line, options and words in any order; returns the exit
 * status: 0 done, 1 it could not be done, 2 it was not understood. */
int ctl_main(int argc, char **argv);
/* "sendmail", "mailq" or "newaliases", as argv[0] has it; returns a status of sysexits.h.
 */
int sendmail_main(int argc, char **argv);
