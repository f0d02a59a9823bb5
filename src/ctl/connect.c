#include "ctl/connect.h"

#include "control/control.h"
#include "control/folder.h"
#include "control/format.h"
#include "ctl/word.h"
#include "store/store.h"
#include "vault/vault.h"

void ctl_fail_format(struct ctl *ctl, const char *folder)
{
	SCOPED(buf_fini) struct buf why = BUF(FOLDER_WHY_MAX);
	struct format format;
	enum format_state state = format_look(folder, format_newest, &format);

	format_explain(folder, state, &format, format_newest, &why);
	ctl_fail(ctl, "Nothing can be done here: %.*s", STR_FMT(buf_str(&why)));
}

bool ctl_connect(struct ctl *ctl)
{
	int store_fd, vault_fd;
	char folder[4096];
	err_t err;

	if (!str_to_c(ctl->conf.data_directory, folder, sizeof folder)) {
		ctl_fail(ctl, "The data directory's name is too long.\nNothing was "
			      "changed.");
		return false;
	}
	err = control_open(folder, &ctl->control, &store_fd, &vault_fd);
	if (err == OK) {
		ctl->store = store_open(store_fd);
		ctl->vault = vault_open(vault_fd);
	} else if (err == ERR_ABSENT) {
		ctl_fail(ctl,
			 "There is no data directory at %s.\nNothing was changed.\n"
			 "--dir names another one; a server makes one when it first "
			 "starts.",
			 folder);
	} else if (err == ERR_SYNTAX) {
		ctl_fail_format(ctl, folder);
	} else if (err == ERR_DENIED) {
		ctl_fail(ctl,
			 "You may not use the data directory %s.\nNothing was "
			 "changed.\nRun this as the user who owns it.",
			 folder);
	} else if (err == ERR_LIMIT) {
		ctl_fail(ctl,
			 "Another command, or a server that is just starting, has "
			 "%s.\nNothing was changed.\nTry again in a moment.",
			 folder);
	} else {
		ctl_fail(ctl,
			 "The server on %s cannot be reached: %s.\nNothing was "
			 "changed.\nIf it is running, its log says more.",
			 folder, err_text(err));
	}
	return err == OK;
}

void ctl_disconnect(struct ctl *ctl)
{
	store_close(&ctl->store);
	vault_close(&ctl->vault);
	if (ctl->control)
		control_close(&ctl->control);
}
