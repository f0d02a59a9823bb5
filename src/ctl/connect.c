#include "ctl/connect.h"

#include "ctl/word.h"

bool ctl_connect(struct ctl *ctl)
{
	ctl_fail(ctl, "not connected");
	return false;
}
void ctl_disconnect(struct ctl *ctl)
{
	(void)ctl;
}
