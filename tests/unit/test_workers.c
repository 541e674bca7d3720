/*
 * Workers: every job is run and handed back in the loop exactly once, the
 * queue is bounded, and ending hands back what never ran.
 */

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <event2/event.h>

#include "core/err.h"
#include "service/workers.h"
#include "unit.h"

#define JOBS	200

struct job {
	atomic_int	ran;
	int		done;
	sem_t		*gate;		/* waits for it, if there is one */
	pthread_t	ran_in;
};

static struct event_base *base;
static struct crypto *crypto;
static int done_count;

static void
setup(void)
{
	done_count = 0;
	base = event_base_new();
	ck_assert_ptr_nonnull(base);
	ck_assert_int_eq(crypto_new(NULL, &crypto), 0);
}

static void
teardown(void)
{
	crypto_free(&crypto);
	event_base_free(base);
}

static void
run(struct crypto *own, void *arg)
{
	struct job *job = arg;

	ck_assert_ptr_nonnull(own);
	ck_assert_ptr_ne(own, crypto);
	if (job->gate != NULL)
		sem_wait(job->gate);
	job->ran_in = pthread_self();
	atomic_fetch_add(&job->ran, 1);
}

static void
done(void *arg)
{
	struct job *job = arg;

	job->done++;
	done_count++;
}

START_TEST(all_jobs_once)
{
	static struct job jobs[JOBS];
	struct workers *workers = workers_new(base, crypto, 4, JOBS);

	ck_assert_ptr_nonnull(workers);
	for (int i = 0; i < JOBS; i++)
		ck_assert_int_eq(workers_submit(workers, run, done, &jobs[i]),
		    0);
	while (done_count < JOBS)
		event_base_loop(base, EVLOOP_ONCE);
	for (int i = 0; i < JOBS; i++) {
		ck_assert_int_eq(atomic_load(&jobs[i].ran), 1);
		ck_assert_int_eq(jobs[i].done, 1);
		ck_assert(!pthread_equal(jobs[i].ran_in, pthread_self()));
	}
	workers_free(&workers);
	ck_assert_ptr_null(workers);
	ck_assert_int_eq(done_count, JOBS);
}
END_TEST

START_TEST(queue_is_bounded)
{
	static struct job jobs[4];
	struct workers *workers = workers_new(base, crypto, 1, 3);
	sem_t gate;

	sem_init(&gate, 0, 0);
	jobs[0].gate = &gate;
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(workers_submit(workers, run, done, &jobs[i]),
		    0);
	ck_assert_int_eq(workers_submit(workers, run, done, &jobs[3]),
	    -ERR_TOO_LONG);
	sem_post(&gate);
	while (done_count < 3)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert_int_eq(workers_submit(workers, run, done, &jobs[3]), 0);
	while (done_count < 4)
		event_base_loop(base, EVLOOP_ONCE);
	workers_free(&workers);
	sem_destroy(&gate);
}
END_TEST

/* The running job ends; the waiting ones come back without having run. */
START_TEST(end_with_jobs_waiting)
{
	static struct job jobs[5];
	struct workers *workers = workers_new(base, crypto, 1, 5);
	sem_t gate;
	int ran = 0;

	sem_init(&gate, 0, 0);
	for (int i = 0; i < 5; i++) {
		jobs[i].gate = &gate;
		ck_assert_int_eq(workers_submit(workers, run, done, &jobs[i]),
		    0);
	}
	for (int i = 0; i < 5; i++)
		sem_post(&gate);
	workers_free(&workers);
	ck_assert_int_eq(done_count, 5);
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(jobs[i].done, 1);
		ran += atomic_load(&jobs[i].ran);
	}
	ck_assert_int_le(ran, 5);
	sem_destroy(&gate);
}
END_TEST

START_TEST(free_of_nothing)
{
	struct workers *workers = NULL;

	workers_free(&workers);
	workers = workers_new(base, crypto, 2, 1);
	workers_free(&workers);
	ck_assert_int_eq(done_count, 0);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("workers");
	TCase *tc = tcase_create("workers");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, all_jobs_once);
	tcase_add_test(tc, queue_is_bounded);
	tcase_add_test(tc, end_with_jobs_waiting);
	tcase_add_test(tc, free_of_nothing);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
