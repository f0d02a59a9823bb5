#include "imap/inprogress.h"

struct inprogress inprogress_begin(struct session *s, const struct imap_command *command)
{
	return (struct inprogress){
		.s = s, .tag = command->tag, .due = deadline_s(INPROGRESS_S)};
}

void inprogress_step(struct inprogress *progress, uint64_t done)
{
	struct session *s = progress->s;

	progress->done = done;
	/* PROGRESS is less than GOAL (§4): the end is told by the tagged response. */
	if (loop_now() < progress->due || progress->done >= progress->goal)
		return;
	progress->due = deadline_s(INPROGRESS_S);
	buf_add_c(&s->out, "* OK [INPROGRESS (");
	/* §4: NIL if it contains "]". */
	if (str_find_byte(progress->tag, ']') < progress->tag.len)
		buf_add_c(&s->out, "NIL");
	else
		imap_write_string(&s->out, progress->tag);
	buf_printf(&s->out, " %llu %llu)] Still searching\r\n",
		   (unsigned long long)progress->done,
		   (unsigned long long)progress->goal);
	session_send(s);
}
