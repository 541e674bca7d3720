/*
 * Worker threads: one queue in, one list of finished jobs out, an eventfd to
 * wake the loop. Jobs are run oldest first. The threads take no signals and
 * touch nothing of the loop.
 */

#include "service/workers.h"

#include <sys/eventfd.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "core/err.h"
#include "store/xalloc.h"

struct work {
	struct work	*next;
	worker_run	*run;
	worker_done	*done;
	void		*job;
};

struct work_list {
	struct work	*head;
	struct work	**tail;
};

struct worker {
	struct workers	*workers;
	struct crypto	*crypto;
	pthread_t	 thread;
};

/* Owner: whoever called workers_new(). lock guards waiting, finished, stop. */
struct workers {
	pthread_mutex_t	 lock;
	pthread_cond_t	 wake;
	struct work_list waiting;
	struct work_list finished;
	bool		 stop;
	size_t		 pending;	/* loop's side: submitted, not done */
	size_t		 pending_max;
	int		 wake_loop;	/* eventfd */
	struct event	*event;
	unsigned int	 count;		/* threads that run */
	struct worker	*threads;
};

static void
list_init(struct work_list *list)
{
	list->head = NULL;
	list->tail = &list->head;
}

static void
list_append(struct work_list *list, struct work *work)
{
	work->next = NULL;
	*list->tail = work;
	list->tail = &work->next;
}

static struct work *
list_take(struct work_list *list)
{
	struct work *work = list->head;

	if (work == NULL)
		return NULL;
	list->head = work->next;
	if (list->head == NULL)
		list->tail = &list->head;
	return work;
}

static void *
worker_main(void *arg)
{
	struct worker *worker = arg;
	struct workers *workers = worker->workers;
	const uint64_t one = 1;
	struct work *work;

	pthread_mutex_lock(&workers->lock);
	while (!workers->stop) {
		work = list_take(&workers->waiting);
		if (work == NULL) {
			pthread_cond_wait(&workers->wake, &workers->lock);
			continue;
		}
		pthread_mutex_unlock(&workers->lock);
		work->run(worker->crypto, work->job);
		pthread_mutex_lock(&workers->lock);
		list_append(&workers->finished, work);
		/* Fails only when the counter is full: the loop is awake. */
		if (write(workers->wake_loop, &one, sizeof(one)) < 0)
			continue;
	}
	pthread_mutex_unlock(&workers->lock);
	return NULL;
}

static void
hand_back(struct workers *workers, struct work_list *list)
{
	struct work *work;

	while ((work = list_take(list)) != NULL) {
		workers->pending--;
		work->done(work->job);
		free(work);
	}
}

static void
on_finished(evutil_socket_t fd, short what, void *arg)
{
	struct workers *workers = arg;
	struct work_list finished;
	uint64_t count;

	(void)what;
	/* Only resets the counter; the list below is the truth. */
	if (read((int)fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
	list_init(&finished);
	pthread_mutex_lock(&workers->lock);
	if (workers->finished.head != NULL) {
		finished = workers->finished;
		list_init(&workers->finished);
	}
	pthread_mutex_unlock(&workers->lock);
	hand_back(workers, &finished);
}

static bool
start_thread(struct workers *workers, const struct crypto *crypto)
{
	struct worker *worker = &workers->threads[workers->count];
	sigset_t all, before;
	int rc;

	worker->workers = workers;
	if (crypto_dup(crypto, &worker->crypto) != 0) {
		errno = ENOMEM;
		return false;
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&worker->thread, NULL, worker_main, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		crypto_free(&worker->crypto);
		errno = rc;
		return false;
	}
	workers->count++;
	return true;
}

struct workers *
workers_new(struct event_base *base, const struct crypto *crypto,
    unsigned int threads, size_t queue_max)
{
	struct workers *workers = xcalloc(1, sizeof(*workers));
	int saved;

	pthread_mutex_init(&workers->lock, NULL);
	pthread_cond_init(&workers->wake, NULL);
	list_init(&workers->waiting);
	list_init(&workers->finished);
	workers->pending_max = queue_max;
	workers->threads = xcalloc(threads, sizeof(*workers->threads));
	workers->wake_loop = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (workers->wake_loop < 0)
		goto fail;
	workers->event = event_new(base, workers->wake_loop,
	    EV_READ | EV_PERSIST, on_finished, workers);
	if (workers->event == NULL || event_add(workers->event, NULL) != 0) {
		errno = ENOMEM;
		goto fail;
	}
	while (workers->count < threads)
		if (!start_thread(workers, crypto))
			goto fail;
	return workers;
fail:
	saved = errno;
	workers_free(&workers);
	errno = saved;
	return NULL;
}

void
workers_free(struct workers **workers)
{
	struct workers *w = *workers;

	*workers = NULL;
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_broadcast(&w->wake);
	pthread_mutex_unlock(&w->lock);
	for (unsigned int i = 0; i < w->count; i++) {
		pthread_join(w->threads[i].thread, NULL);
		crypto_free(&w->threads[i].crypto);
	}
	hand_back(w, &w->finished);
	hand_back(w, &w->waiting);
	if (w->event != NULL)
		event_free(w->event);
	if (w->wake_loop >= 0)
		close(w->wake_loop);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w->threads);
	free(w);
}

int
workers_submit(struct workers *workers, worker_run *run, worker_done *done,
    void *job)
{
	struct work *work;

	if (workers->pending >= workers->pending_max)
		return -ERR_TOO_LONG;
	workers->pending++;
	work = xcalloc(1, sizeof(*work));
	work->run = run;
	work->done = done;
	work->job = job;
	pthread_mutex_lock(&workers->lock);
	list_append(&workers->waiting, work);
	pthread_cond_signal(&workers->wake);
	pthread_mutex_unlock(&workers->lock);
	return 0;
}
