#ifndef ONECRED_UNIT_H
#define ONECRED_UNIT_H

#include <check.h>
#include <stdlib.h>

/*
 * main() of a unit test program: each file defines unit_suite() and ends with
 * UNIT_MAIN. Prints libcheck's summary; exit status 1 if anything failed.
 */
#define UNIT_MAIN(make_suite)						\
int									\
main(void)								\
{									\
	SRunner *runner = srunner_create(make_suite());			\
	int failed;							\
									\
	srunner_run_all(runner, CK_ENV);				\
	failed = srunner_ntests_failed(runner);				\
	srunner_free(runner);						\
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;		\
}

#endif
