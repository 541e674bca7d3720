#ifndef ONECRED_PLUGIN_PROCESS_H
#define ONECRED_PLUGIN_PROCESS_H

#include <sys/types.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "core/crypto.h"
#include "plugin_database.h"

/*
 * What one process has: made at its first lookup, because init may have run
 * before fork() and chroot(). A child that finds its parent's leaves it as it
 * is (a thread of the parent's may have held the lock at that moment) and
 * makes its own; only the copy of the socket is closed, which the server
 * does not notice.
 *
 * database and crypto belong to the holder of the lock.
 */
struct process {
	pid_t		 pid;
	pthread_mutex_t	 lock;
	struct database	 database;
	struct crypto	*crypto;	/* NULL until it is needed */
	struct process	*parent;	/* inherited; kept, never touched */
};

struct process_slot {
	_Atomic(struct process *) current;
};

/* Milliseconds of a clock that nobody sets. */
int64_t	process_clock(void);

/*
 * This process' own, locked. NULL if that was not possible before deadline,
 * or for lack of memory. The caller hands it back to process_leave().
 */
struct process *process_enter(struct process_slot *slot, int64_t deadline)
	    __attribute__((warn_unused_result));
void	process_leave(struct process *process);

/* The process' cryptographic handle, or NULL. Lock held. */
struct crypto *process_crypto(struct process *process);

/* At the end of the plugin; nobody may be inside. */
void	process_slot_clear(struct process_slot *slot);

#endif
