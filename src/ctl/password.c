#include "ctl/password.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

enum { BYTES_MIN = 8, BYTES_MAX = 1000 };

/* One line, without its end; false at the end of input or when it is too long. */
static bool read_line(int fd, struct buf *line)
{
	char byte;
	ssize_t got;

	while ((got = read(fd, &byte, 1)) == 1 && byte != '\n')
		buf_add_byte(line, byte);
	byte = 0;
	return (got == 1 || line->len > 0) && buf_ok(line);
}

static void terminal_say(int terminal, const char *text)
{
	if (write(terminal, text, strlen(text)) < 0)
		return; /* then the terminal is gone, and reading will say so */
}

static bool ask(int terminal, const char *question, struct buf *answer)
{
	struct termios before, quiet;
	bool is_read;

	if (tcgetattr(terminal, &before) != 0)
		return false;
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	terminal_say(terminal, question);
	if (tcsetattr(terminal, TCSAFLUSH, &quiet) != 0)
		return false;
	is_read = read_line(terminal, answer);
	(void)tcsetattr(terminal, TCSAFLUSH, &before); /* the best we can do */
	terminal_say(terminal, "\n");
	return is_read;
}

static bool ask_twice(struct buf *password, const char **why)
{
	struct buf again = BUF(BYTES_MAX + 1);
	int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	bool is_good = false;

	*why = "There is no terminal to ask for the password.\nNothing was changed.\n"
	       "Give it on standard input, with --password-stdin.";
	if (terminal < 0)
		return false;
	if (ask(terminal, "Password: ", password) &&
	    ask(terminal, "The same again: ", &again)) {
		is_good = str_same(buf_str(password), buf_str(&again));
		*why = "These were not the same.\nNothing was changed.";
	}
	(void)close(terminal); /* nothing is pending on it */
	if (again.ptr)
		explicit_bzero(again.ptr, again.room);
	buf_fini(&again);
	return is_good;
}

static bool read_file(const char *file, struct buf *password)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	bool is_read = fd >= 0 && read_line(fd, password);

	if (fd >= 0)
		(void)close(fd); /* it was only read */
	return is_read;
}

static bool ask_once(struct buf *password)
{
	int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	bool is_read = terminal >= 0 && ask(terminal, "Password there: ", password);

	if (terminal >= 0)
		(void)close(terminal); /* nothing is pending on it */
	return is_read;
}

bool password_for_another(bool from_stdin, const char *file, struct buf *password,
			  const char **why)
{
	bool is_read;

	*password = BUF(BYTES_MAX + 1);
	/* its memory never moves, so that no copy is left behind */
	if (!buf_room(password, BYTES_MAX + 1))
		return false;
	if (file)
		is_read = read_file(file, password);
	else if (from_stdin)
		is_read = read_line(STDIN_FILENO, password);
	else
		is_read = ask_once(password);
	if (str_ends(buf_str(password), STR("\r")))
		buf_cut(password, password->len - 1);
	*why = "There is no password to log in with there.\nNothing was changed.\n"
	       "Give it on the terminal, with --password-file or --password-stdin.";
	return is_read;
}

bool password_read(bool from_stdin, struct buf *password, const char **why)
{
	*password = BUF(BYTES_MAX + 1);
	/* its memory never moves, so that no copy is left behind */
	if (!buf_room(password, BYTES_MAX + 1))
		return false;
	if (from_stdin) {
		*why = "There is no password on standard input.\nNothing was changed.";
		if (!read_line(STDIN_FILENO, password))
			return false;
	} else if (!ask_twice(password, why)) {
		return false;
	}
	if (str_ends(buf_str(password), STR("\r")))
		buf_cut(password, password->len - 1);
	*why = "A password has at least 8 and at most 1000 octets, and no NUL.\nNothing "
	       "was changed.";
	return password->len >= BYTES_MIN && password->len <= BYTES_MAX &&
	       !memchr(password->ptr, 0, password->len);
}
