#ifndef ONECRED_REPLAY_USES_H
#define ONECRED_REPLAY_USES_H

/*
 * What test_replay.c and test_replay_random.c share: windows, nonces, uses.
 * Include it in one file of a test program.
 */

#include <string.h>

#include "core/sip_message.h"
#include "service/replay.h"
#include "unit.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define SECOND		UINT64_C(1000000)
#define LIFETIME	(300 * SECOND)
#define FOREIGN		(30 * SECOND)
#define START		UINT64_C(1700000000000000)
#define REALM		SPAN_LIT("example.com")

static const uint8_t seed[16] = "0123456789abcdef";
static const uint8_t node_a[NONCE_NODE_SIZE] = "node-aaa";
static const uint8_t node_b[NONCE_NODE_SIZE] = "node-bbb";

static inline struct replay *
make(size_t entries)
{
	const struct replay_settings settings = { entries, LIFETIME, FOREIGN };
	struct replay *r = replay_new(&settings, seed);

	ck_assert_ptr_nonnull(r);
	replay_node(r, node_a);
	return r;
}

/* The nonce number id, made by node at that time. */
static inline struct nonce
nonce_of(const uint8_t *node, uint64_t time_us, uint64_t id)
{
	struct nonce nonce = { .time_us = time_us };

	memcpy(nonce.node, node, NONCE_NODE_SIZE);
	memcpy(nonce.random, &id, sizeof(id));
	return nonce;
}

static inline struct replay_use
use_of(enum nonce_origin origin, const struct nonce *nonce, uint32_t nc,
    uint8_t request)
{
	static uint8_t fingerprints[256][SIP_FINGERPRINT_SIZE];

	memset(fingerprints[request], request, SIP_FINGERPRINT_SIZE);
	return (struct replay_use){ origin, nonce, REALM, nc,
	    fingerprints[request] };
}

static inline enum replay_answer
use(struct replay *r, enum nonce_origin origin, const struct nonce *nonce,
    uint32_t nc, uint8_t request, uint64_t now_us)
{
	struct replay_use u = use_of(origin, nonce, nc, request);

	return replay_use(r, &u, now_us);
}

static inline void
mark(struct replay *r, enum nonce_origin origin, const struct nonce *nonce,
    uint32_t nc, uint8_t request, uint64_t now_us)
{
	struct replay_use u = use_of(origin, nonce, nc, request);

	replay_mark(r, &u, now_us);
}

#endif
