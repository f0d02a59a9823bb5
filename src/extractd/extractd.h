/* The extractd process: takes the text out of documents (extract/extract.h), one at a
 * time, for whoever asks on the channels it is given.  It opens no file, makes no
 * connection, and holds nothing but that document.
 *
 * The document is read by another thread than the loop's, which looks at the processor
 * time that it takes: a document that takes too much is answered so, and ends the
 * process; the supervisor starts another. */
#pragma once

#include "extract/extract.h"

enum { EXTRACTD_GAVE_UP = 3 }; /* the process's exit status then */

struct extractd;

struct extractd *extractd_open(void);
/* After the last task has ended. */
void extractd_close(struct extractd **extractd);
/* Serves a channel until the other side closes it; fd is owned from here on. */
void extractd_serve(struct extractd *extractd, int fd);
