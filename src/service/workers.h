#ifndef ONECRED_WORKERS_H
#define ONECRED_WORKERS_H

#include <stddef.h>

#include "core/crypto.h"

struct event_base;

/*
 * A few threads for work that would stop the event loop (PBKDF2). Each has a
 * struct crypto of its own.
 */
struct workers;

/* Runs in a worker thread; must not touch the loop. */
typedef void	worker_run(struct crypto *crypto, void *job);
/* Runs in the event loop afterwards; frees the job. */
typedef void	worker_done(void *job);

/*
 * threads: 1..64; queue_max: jobs waiting or running. NULL if a thread cannot
 * be started (errno set).
 */
struct workers	*workers_new(struct event_base *base,
		    const struct crypto *crypto, unsigned int threads,
		    size_t queue_max);

/* Waits for the running jobs; done is called for every job, run or not. */
void		 workers_free(struct workers **workers);

/* 0, or -ERR_TOO_LONG if the queue is full (the caller keeps the job). */
int		 workers_submit(struct workers *workers, worker_run *run,
		    worker_done *done, void *job)
		    __attribute__((warn_unused_result));

#endif
