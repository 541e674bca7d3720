/*
 * One connection per process, whatever forks, and whichever thread asks.
 * libsasl2 gives no lock that can be relied upon (its mutex functions do
 * nothing unless the application sets them), so these are our own. No
 * pthread_atfork(): the process id tells.
 */

#include "plugin_process.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int64_t
process_clock(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct process *
process_new(struct process *parent)
{
	struct process *process = calloc(1, sizeof(*process));

	if (process == NULL)
		return NULL;
	if (pthread_mutex_init(&process->lock, NULL) != 0) {
		free(process);
		return NULL;
	}
	process->pid = getpid();
	process->parent = parent;
	database_init(&process->database);
	return process;
}

static void
process_free(struct process *process)
{
	database_close(&process->database);
	crypto_free(&process->crypto);
	(void)pthread_mutex_destroy(&process->lock);
	free(process);
}

/* NB: several threads of a child may get here at once; one of them wins. */
static struct process *
process_own(struct process_slot *slot)
{
	struct process *own, *found = atomic_load(&slot->current);

	if (found != NULL && found->pid == getpid())
		return found;
	own = process_new(found);
	if (own == NULL)
		return NULL;
	if (!atomic_compare_exchange_strong(&slot->current, &found, own)) {
		process_free(own);
		return found;
	}
	if (own->parent != NULL)
		database_disinherit(&own->parent->database);
	return own;
}

struct process *
process_enter(struct process_slot *slot, int64_t deadline)
{
	struct process *process = process_own(slot);
	struct timespec until;

	if (process == NULL)
		return NULL;
	until.tv_sec = (time_t)(deadline / 1000);
	until.tv_nsec = (long)(deadline % 1000) * 1000000;
	if (pthread_mutex_clocklock(&process->lock, CLOCK_MONOTONIC,
	    &until) != 0)
		return NULL;
	return process;
}

void
process_leave(struct process *process)
{
	(void)pthread_mutex_unlock(&process->lock);
}

struct crypto *
process_crypto(struct process *process)
{
	if (process->crypto == NULL &&
	    crypto_new(NULL, &process->crypto) != 0)
		process->crypto = NULL;
	return process->crypto;
}

void
process_slot_clear(struct process_slot *slot)
{
	struct process *process = atomic_exchange(&slot->current, NULL);

	/* NB: an inherited one stays: ending it would end the parent's. */
	if (process != NULL && process->pid == getpid())
		process_free(process);
}
