#ifndef ONECRED_STORE_H
#define ONECRED_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/credential.h"
#include "core/sink.h"
#include "core/span.h"

struct event_base;

/*
 * Credential rows out of PostgreSQL, asynchronously: libpq in pipeline mode
 * over a few kept connections, everything that is outstanding in one turn of
 * the loop under one sync. It never sees a password and judges nothing.
 */
struct store;
struct store_lookup;	/* one lookup under way */

struct store_settings {
	const char	*conninfo;	/* libpq syntax, several hosts allowed */
	unsigned int	 connections;	/* 1..16 */
	unsigned int	 lookup_timeout_ms;
	unsigned int	 connect_timeout_ms;
	const char	*application;	/* application_name, "onecredd" */
};

/*
 * What is looked up; the store copies it. domain empty: the realm decides
 * which domain it is (SIP with a bare name). realm empty: the home realm's
 * HA1s are returned. localpart is canonical (lower case).
 */
struct store_key {
	struct span	domain;
	struct span	localpart;
	struct span	realm;
};

enum store_status {
	STORE_OK = 0,		/* domain known; credential->found tells more */
	STORE_NO_DOMAIN,	/* domain or realm unknown, or not visible, or
				   the key is outside the grammar of names */
	STORE_NO_REALM,		/* domain known, realm is not one of its own */
	STORE_UNAVAILABLE,	/* no connection, deadline, schema range */
	STORE_REFUSED		/* store_ask() only: the schema says no */
};

/* Questions beyond the lookup; the values of each, all text. */
enum store_question {
	STORE_REALM = 0,	/* realm: its policy, packed (access.sql) */
	STORE_OWNER,		/* domain, localpart, URI user, URI host:
				   "alias", "account" or "none" */
	STORE_ACCOUNT_POLICY,	/* domain, localpart: what a new password
				   needs to know, packed (question.c) */
	STORE_ACCOUNT_SET,	/* domain, localpart, mode and the arrays of
				   core/verifiers: the new version */
	STORE_ACCOUNT_DELETE,	/* domain, localpart: the new version */
	STORE_QUESTION_COUNT
};

#define STORE_VALUES_MAX	9

/*
 * The answer. credential belongs to the store and is wiped when the callback
 * returns; copy what must live longer (and wipe the copy). It is set (domain
 * policy, seed) whenever status is STORE_OK; otherwise zeroed.
 */
typedef void store_lookup_cb(enum store_status status,
	    const struct credential *credential, void *arg);

/*
 * Starts connecting at once. settings' strings are copied; base and sink
 * outlive the store. NULL only if conninfo cannot be parsed (the reason goes
 * to the sink; it never contains conninfo's password).
 */
struct store	*store_new(struct event_base *base,
		    const struct store_settings *settings,
		    const struct sink *sink);

/*
 * Outstanding lookups end without their callback. Not from inside one: to
 * stop there, leave the loop first.
 */
void		 store_free(struct store **store);

/*
 * Asks for one row. The callback fires exactly once, from the event loop,
 * never from inside this call, within lookup_timeout_ms. Without any
 * connection for 1 s the answer is UNAVAILABLE in the next turn of the loop;
 * before that the lookup waits for one. A lookup in flight at a disconnect is
 * sent once more, within its deadline.
 */
struct store_lookup *store_lookup(struct store *store,
		    const struct store_key *key, store_lookup_cb *cb,
		    void *arg);

/*
 * The answer to a question, a view valid during the callback: empty for NULL
 * and for UNAVAILABLE; for REFUSED the SQLSTATE (5 characters, "OC001": see
 * account.sql), a blank and a sentence that quotes no value. A question that
 * writes and whose connection is lost is UNAVAILABLE: it may have worked.
 */
typedef void store_answer_cb(enum store_status status, struct span answer,
		    void *arg);

/*
 * Asks another question under the rules of store_lookup(). An empty value is
 * NULL; values that are not UTF-8, hold a NUL, or are over STORE_TEXT_MAX
 * octets together are REFUSED (and the answer is empty).
 */
#define STORE_TEXT_MAX	(512 * 1024)
struct store_lookup *store_ask(struct store *store,
		    enum store_question question, const struct span *values,
		    size_t count, store_answer_cb *cb, void *arg);

/* The callback will not fire. */
void		 store_cancel(struct store_lookup *lookup);

/* At least one connection is usable (connected, schema in range). */
bool		 store_ready(const struct store *store);

/* Counters for the log and the metrics. */
struct store_stats {
	uint64_t	lookups;	/* asked for */
	uint64_t	unavailable;	/* answered UNAVAILABLE */
	uint64_t	syncs;		/* pipelines synced */
	uint64_t	connects;	/* successful */
	unsigned int	ready;		/* connections usable now */
	unsigned int	in_flight;
};
void		 store_stats(const struct store *store,
		    struct store_stats *out);

#endif
