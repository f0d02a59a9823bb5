/* The unit-test runner: build/unit [FILTER] runs the tests whose "file:name" contains it.
 */
#include <stdio.h>

#include "base/log.h"
#include "base/test.h"

int main(int argc, char **argv)
{
	(void)setvbuf(stdout, NULL, _IOLBF, 0); /* a crash still shows what ran before */
	log_name("unit");
	log_level_max = LOG_ERROR;
	return test_run_all(argc > 1 ? argv[1] : NULL) != 0;
}
