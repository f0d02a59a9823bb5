#include "ctl/ctl.h"

#include <getopt.h> /* optind */
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/log.h"
#include "ctl/connect.h"
#include "ctl/lookups.h"
#include "ctl/options.h"
#include "ctl/password.h"
#include "ctl/word.h"
#include "rt/offload.h"
#include "rt/task.h"

enum { MEMORY_MAX = 1024 * 1024 * 1024 };

static const struct ctl_word *const words[] = {
	&ctl_domain, &ctl_account, &ctl_alias,  &ctl_queue, &ctl_store,
	&ctl_backup, &ctl_import,  &ctl_export, &ctl_dns,   &ctl_tls,
	&ctl_spf,    &ctl_dkim,    &ctl_dmarc,  &ctl_arc,   &ctl_headers,
	&ctl_check,  &ctl_report,  &ctl_config, &ctl_sieve,
};

static const struct ctl_word *find_word(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (strcmp(words[i]->name, name) == 0)
			return words[i];
	}
	return NULL;
}

/* One that has no name is all that the word does. */
static const struct ctl_verb *find_verb(const struct ctl_word *word, const char *name)
{
	if (!word->verbs[0].name[0])
		return &word->verbs[0];
	for (size_t i = 0; i < word->verb_count; i++) {
		if (strcmp(word->verbs[i].name, name) == 0)
			return &word->verbs[i];
	}
	return NULL;
}

/* ---- help -------------------------------------------------------------------------- */

static void print_usage(const struct ctl_word *word, const struct ctl_verb *verb)
{
	printf("  postrider %s%s%s%s%s\n", word->name, verb->name[0] ? " " : "",
	       verb->name, verb->arguments[0] ? " " : "", verb->arguments);
}

static void print_help(const struct ctl_word *word)
{
	uint64_t options = 0;

	printf("%s\n\n", word->summary);
	for (size_t i = 0; i < word->verb_count; i++) {
		const struct ctl_verb *verb = &word->verbs[i];

		print_usage(word, verb);
		printf("      %s\n", verb->summary);
		options |= verb->options;
	}
	printf("\nOptions:\n");
	options_print(options);
	printf("\nExamples:\n%s", word->examples);
}

static void print_words(void)
{
	printf("Postrider, an email server.\n\n"
	       "  postrider dev           start a server of your own to play with\n"
	       "  postrider serve         run the server\n"
	       "  postrider sendmail      hand in mail; see sendmail(1)\n\n");
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		for (size_t j = 0; j < words[i]->verb_count; j++)
			print_usage(words[i], &words[i]->verbs[j]);
	}
	printf("\nOptions:\n");
	options_print(0);
	printf("\n\"postrider WORD --help\" says more about one of them; so does "
	       "postrider(1).\n");
}

PRINTF_LIKE(2, 3)
static int not_understood(const struct ctl_word *word, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)fprintf(stderr, "postrider: ");
	(void)vfprintf(stderr, format, args);
	(void)fprintf(stderr, "\n\"postrider %s --help\" shows what can be said.\n",
		      word->name);
	va_end(args);
	return 2;
}

static bool read_words(struct ctl *ctl, int count, char **given)
{
	ctl->word_count = (size_t)count;
	ctl->words = ARENA_ARRAY(&ctl->arena, struct str, ctl->word_count + 1);
	if (!ctl->words)
		return false;
	for (size_t i = 0; i < ctl->word_count; i++)
		ctl->words[i] = str_c(given[i]);
	return true;
}

/* ---- running ----------------------------------------------------------------------- */

/* A folder given by hand needs no file; the default file may be missing. */
static bool load_conf(struct ctl *ctl)
{
	const char *path = ctl->config_path ? ctl->config_path : DEFAULT_CONFIG;
	struct str why;
	char *folder;
	err_t err = ERR_ABSENT;

	if (ctl->config_path || !ctl->folder)
		err = conf_load(path, &ctl->arena, &ctl->conf, &why);
	if (err == OK)
		ctl->conf_path = path;
	if (err == ERR_ABSENT && !ctl->config_path)
		err = conf_defaults(&ctl->arena, &ctl->conf);
	if (err != OK) {
		ctl_fail(ctl, "%.*s", STR_FMT(why));
		return false;
	}
	if (!ctl->folder)
		return true;
	folder = realpath(ctl->folder, NULL);
	if (!folder ||
	    !arena_copy(&ctl->arena, str_c(folder), &ctl->conf.data_directory)) {
		ctl_fail(ctl,
			 "There is no folder %s.\nNothing was changed.\n--dir names "
			 "the data directory of a server that has run before.",
			 ctl->folder);
		free(folder);
		return false;
	}
	free(folder);
	return true;
}

struct run {
	struct ctl *ctl;
	unsigned needs;
	void (*run)(struct ctl *ctl);
};

static unsigned needs_of(const struct ctl *ctl, const struct ctl_verb *verb)
{
	return verb->needs | (ctl->options & CTL_ONLINE ? CTL_NEEDS_SERVER : 0);
}

static bool has_needs(struct ctl *ctl, unsigned needs)
{
	if (needs & CTL_NEEDS_SERVER) {
		if (!ctl_connect(ctl))
			return false;
		ctl->directory.store = ctl->store;
		ctl->directory.default_domain = ctl->conf.default_domain;
	}
	return !(needs & CTL_NEEDS_RESOLVER) ||
	       ctl_open_lookups(ctl, needs & CTL_NEEDS_FETCH);
}

static void run_in_task(void *arg)
{
	const struct run *run = arg;

	if (has_needs(run->ctl, run->needs))
		run->run(run->ctl);
	ctl_close_lookups(run->ctl);
	ctl_disconnect(run->ctl);
	loop_stop();
}

void ctl_run(struct ctl *ctl, unsigned needs, void (*run)(struct ctl *ctl))
{
	struct run task = {ctl, needs, run};

	if (!(needs & (CTL_NEEDS_SERVER | CTL_NEEDS_RESOLVER | CTL_NEEDS_TASKS))) {
		run(ctl);
		return;
	}
	loop_init();
	if (!task_start("command", run_in_task, &task))
		ctl_fail(ctl, "This machine has no memory left.\nNothing was changed.");
	else
		loop_run();
	offload_fini();
	loop_fini();
}

static void print_result(const struct ctl *ctl)
{
	if (ctl->is_printed)
		return;
	if (!ctl->is_json) {
		if (ctl->status == 0 || ctl->is_partial)
			(void)fwrite(ctl->out.ptr, 1, ctl->out.len, stdout);
		return;
	}
	if (ctl->json)
		(void)json_dumpf(ctl->json, stdout, JSON_INDENT(1));
	else
		(void)fputs("{}", stdout);
	(void)fputc('\n', stdout);
}

static int run_command(struct ctl *ctl, const struct ctl_word *word,
		       const struct ctl_verb *verb)
{
	const char *why;

	if ((verb->needs & CTL_NEEDS_PASSWORD) &&
	    !password_read(ctl->options & CTL_PASSWORD_STDIN, &ctl->password, &why))
		ctl_fail(ctl, "%s", why);
	else if (load_conf(ctl))
		ctl_run(ctl, needs_of(ctl, verb), verb->run);
	if (ctl->password.ptr)
		explicit_bzero(ctl->password.ptr, ctl->password.room);
	if (!buf_ok(&ctl->out))
		ctl_fail(ctl, "The answer of \"%s %s\" is too long to be printed.",
			 word->name, verb->name);
	print_result(ctl);
	return fflush(stdout) == 0 ? ctl->status : 1;
}

/* given: what is left of the command line without options, from the word on. */
static int understand(struct ctl *ctl, const struct ctl_word *word, int count,
		      char **given)
{
	const struct ctl_verb *verb;

	if (ctl->wants_help) {
		print_help(word);
		return 0;
	}
	if (count < 2)
		return not_understood(word, "which? \"%s\" alone says too little",
				      word->name);
	verb = find_verb(word, given[1]);
	if (!verb)
		return not_understood(word, "there is no \"%s %s\"", word->name,
				      given[1]);
	int before = verb->name[0] ? 2 : 1;

	if (!read_words(ctl, count - before, given + before))
		return 1;
	if (ctl->word_count < verb->min || ctl->word_count > verb->max)
		return not_understood(word, "it is: postrider %s%s%s %s", word->name,
				      before > 1 ? " " : "", verb->name, verb->arguments);
	if (ctl->options & ~verb->options)
		return not_understood(word, "\"%s %s\" does not know that option",
				      word->name, verb->name);
	return run_command(ctl, word, verb);
}

/* The whole command line. */
static int run_words(struct ctl *ctl, int argc, char **argv)
{
	const struct ctl_word *word;

	if (!options_read(ctl, argc, argv)) {
		(void)fprintf(stderr, "\"postrider --help\" shows what can be said.\n");
		return 2;
	}
	if (optind == argc) {
		print_words();
		return ctl->wants_help ? 0 : 2;
	}
	word = find_word(argv[optind]);
	if (word)
		return understand(ctl, word, argc - optind, argv + optind);
	if (strcmp(argv[optind], "help") == 0) {
		word = optind + 1 < argc ? find_word(argv[optind + 1]) : NULL;
		if (word)
			print_help(word);
		else
			print_words();
		return 0;
	}
	(void)fprintf(stderr,
		      "postrider: there is no \"%s\".\n\"postrider --help\" shows what "
		      "can be said.\n",
		      argv[optind]);
	return 2;
}

int ctl_main(int argc, char **argv)
{
	struct ctl ctl = {.out = BUF(MEMORY_MAX)};
	int status;

	log_name("postrider");
	log_level_max = LOG_WARN;
	arena_init(&ctl.arena, MEMORY_MAX);
	status = run_words(&ctl, argc, argv);
	json_decref(ctl.json);
	buf_fini(&ctl.out);
	buf_fini(&ctl.password);
	arena_fini(&ctl.arena);
	return status;
}
