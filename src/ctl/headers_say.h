/* The analysis of a header, as text and as JSON. */
#pragma once

#include "headers/headers.h"

struct ctl;
struct json_t;

/* Appends it to ctl->out, wrapped to the terminal. */
void headers_say(struct ctl *ctl, const struct headers *headers);
struct json_t *headers_json(const struct headers *headers);
