/*
 * Host names to addresses without stopping the event loop. The thread shares
 * nothing with the rest of the daemon but one job, which the last of the two
 * to let go frees.
 */

#include "store/resolve.h"

#include <sys/eventfd.h>

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "store/xalloc.h"

#define ADDRESS_TEXT_MAX 64	/* IPv6 with a scope */

/* Shared with the thread. */
struct job {
	pthread_mutex_t	 lock;
	unsigned int	 users;		/* under lock */
	bool		 done;		/* under lock; then the rest is fixed */
	int		 fd;		/* eventfd: readable when done */
	char		*host;
	int		 error;
	size_t		 count;
	char		 addresses[RESOLVE_ADDRESSES_MAX][ADDRESS_TEXT_MAX];
};

struct resolve {
	struct job	*job;
	struct event	*event;
	bool		 done;
	resolve_cb	*cb;
	void		*arg;
};

static void
job_release(struct job *job)
{
	bool last;

	(void)pthread_mutex_lock(&job->lock);
	last = --job->users == 0;
	(void)pthread_mutex_unlock(&job->lock);
	if (!last)
		return;
	(void)pthread_mutex_destroy(&job->lock);
	(void)close(job->fd);
	free(job->host);
	free(job);
}

static void *
job_run(void *arg)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	const uint64_t one = 1;
	struct job *job = arg;

	job->error = getaddrinfo(job->host, NULL, &hints, &found);
	for (struct addrinfo *ai = job->error == 0 ? found : NULL; ai != NULL &&
	    job->count < RESOLVE_ADDRESSES_MAX; ai = ai->ai_next)
		if (getnameinfo(ai->ai_addr, ai->ai_addrlen,
		    job->addresses[job->count], ADDRESS_TEXT_MAX, NULL, 0,
		    NI_NUMERICHOST) == 0)
			job->count++;
	if (found != NULL)
		freeaddrinfo(found);
	(void)pthread_mutex_lock(&job->lock);
	job->done = true;
	/* An eventfd that nobody has written to takes 8 octets. */
	while (write(job->fd, &one, sizeof(one)) < 0)
		;
	(void)pthread_mutex_unlock(&job->lock);
	job_release(job);
	return NULL;
}

/* A detached thread that no signal is delivered to. */
static int
job_start(struct job *job)
{
	sigset_t all, old;
	pthread_attr_t attr;
	pthread_t thread;
	int error;

	if (pthread_attr_init(&attr) != 0)
		return -1;
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&thread, &attr, job_run, job);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&attr);
	return error == 0 ? 0 : -1;
}

static void
resolve_ready(evutil_socket_t fd, short what, void *arg)
{
	struct resolve *resolve = arg;

	(void)fd;
	(void)what;
	(void)pthread_mutex_lock(&resolve->job->lock);
	resolve->done = resolve->job->done;
	(void)pthread_mutex_unlock(&resolve->job->lock);
	if (resolve->done)
		resolve->cb(resolve->arg);
}

struct resolve *
resolve_start(struct event_base *base, const char *host, resolve_cb *cb,
    void *arg)
{
	struct resolve *resolve = xcalloc(1, sizeof(*resolve));
	struct job *job = xcalloc(1, sizeof(*job));

	resolve->job = job;
	resolve->cb = cb;
	resolve->arg = arg;
	job->users = 2;
	job->host = xstrdup(host);
	job->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pthread_mutex_init(&job->lock, NULL) != 0)
		abort();
	if (job->fd >= 0)
		resolve->event = event_new(base, job->fd, EV_READ,
		    resolve_ready, resolve);
	if (resolve->event == NULL || event_add(resolve->event, NULL) != 0 ||
	    job_start(job) != 0) {
		job->users = 1;		/* there is no thread */
		resolve_free(&resolve);
	}
	return resolve;
}

void
resolve_free(struct resolve **resolve)
{
	struct resolve *r = *resolve;

	if (r == NULL)
		return;
	if (r->event != NULL)
		event_free(r->event);
	job_release(r->job);
	free(r);
	*resolve = NULL;
}

bool
resolve_done(const struct resolve *resolve)
{
	return resolve->done;
}

const char *
resolve_address(const struct resolve *resolve, size_t i)
{
	if (!resolve->done || i >= resolve->job->count)
		return NULL;
	return resolve->job->addresses[i];
}

const char *
resolve_error(const struct resolve *resolve)
{
	if (!resolve->done || resolve->job->count > 0)
		return NULL;
	return resolve->job->error != 0 ?
	    gai_strerror(resolve->job->error) : "no address";
}
