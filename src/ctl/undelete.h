/* "postrider store expunged" and "postrider store undelete". */
#pragma once

struct ctl;
void undelete_list(struct ctl *ctl);
void undelete(struct ctl *ctl);
