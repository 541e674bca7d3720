/*
 * Counters of decisions and lookups, and their text (Prometheus' exposition
 * format 0.0.4). Labels are words of our own, never what a peer has sent:
 * nobody can make series without bound, and no name or password can end here.
 */

#include "service/metrics.h"

#include <stddef.h>

#define VERDICTS	3
#define OTHER_DOOR	"other"

/* Where the mechanisms stand among METRICS_MECHS. */
enum {
	SLOT_PASSWORD = 0,
	SLOT_EXISTS,
	SLOT_DIGEST,
	SLOT_SCRAM = SLOT_DIGEST + DIGEST_ALG_COUNT
};

static const struct {
	uint64_t	 usec;
	const char	*seconds;
} bounds[METRICS_BUCKETS] = {
	{ 100, "0.0001" }, { 250, "0.00025" }, { 500, "0.0005" },
	{ 1000, "0.001" }, { 2500, "0.0025" }, { 5000, "0.005" },
	{ 10000, "0.01" }, { 25000, "0.025" }, { 50000, "0.05" },
	{ 100000, "0.1" }, { 250000, "0.25" }, { 500000, "0.5" },
	{ 1000000, "1" }, { 2500000, "2.5" }, { 5000000, "5" }
};

/* Doors name themselves by static words: the first look is at the address. */
static size_t
door_slot(struct metrics *metrics, const char *door)
{
	size_t i;

	for (i = 0; i < METRICS_DOORS - 1; i++) {
		if (metrics->doors[i] == door)
			return i;
		if (metrics->doors[i] == NULL) {
			metrics->doors[i] = door;
			return i;
		}
		if (span_equal(span_str(metrics->doors[i]), span_str(door)))
			return i;
	}
	metrics->doors[i] = OTHER_DOOR;
	return i;
}

static size_t
mech_slot(const struct auth_request *request)
{
	switch (request->kind) {
	case AUTH_PASSWORD:
		return SLOT_PASSWORD;
	case AUTH_EXISTS:
		return SLOT_EXISTS;
	case AUTH_DIGEST:
		if ((unsigned int)request->digest.alg < DIGEST_ALG_COUNT)
			return SLOT_DIGEST + (size_t)request->digest.alg;
		break;
	case AUTH_SCRAM:
		if ((unsigned int)request->scram < SCRAM_MECH_COUNT)
			return SLOT_SCRAM + 2 * (size_t)request->scram +
			    request->plus;
		break;
	}
	return SLOT_DIGEST;
}

/* The word of a slot, as in the log. */
static void
mech_write(size_t slot, struct wbuf *out)
{
	struct auth_request request = { .kind = AUTH_PASSWORD };

	if (slot >= SLOT_SCRAM) {
		request.kind = AUTH_SCRAM;
		request.scram = (enum scram_mech)((slot - SLOT_SCRAM) / 2);
		request.plus = (slot - SLOT_SCRAM) % 2 != 0;
	} else if (slot >= SLOT_DIGEST) {
		request.kind = AUTH_DIGEST;
		request.digest.alg = (enum digest_alg)(slot - SLOT_DIGEST);
	} else if (slot == SLOT_EXISTS) {
		request.kind = AUTH_EXISTS;
	}
	decision_mech(&request, out);
}

void
metrics_decision(struct metrics *metrics, const struct decision *decision)
{
	size_t door = door_slot(metrics, decision->request->door);
	size_t mech = mech_slot(decision->request);
	unsigned int verdict = decision->verdict, reason = decision->reason;

	if (verdict < VERDICTS && reason < REASON_COUNT)
		metrics->decisions[door][mech][verdict][reason]++;
}

void
metrics_drop(struct metrics *metrics, const char *door, const char *kind)
{
	for (size_t i = 0; i < METRICS_DROPS; i++) {
		struct metrics_drop *drop = &metrics->drops[i];

		if (drop->kind == NULL) {
			drop->door = door;
			drop->kind = kind;
		}
		if (span_equal(span_str(drop->door), span_str(door)) &&
		    span_equal(span_str(drop->kind), span_str(kind))) {
			drop->count++;
			return;
		}
	}
}

void
metrics_lookup(struct metrics *metrics, uint64_t usec)
{
	size_t i = 0;

	while (i < METRICS_BUCKETS && usec > bounds[i].usec)
		i++;
	metrics->lookups[i]++;
	metrics->lookups_usec += usec;
}

static void
head(struct wbuf *out, const char *name, const char *type, const char *help)
{
	wbuf_str(out, "# HELP ");
	wbuf_str(out, name);
	wbuf_u8(out, ' ');
	wbuf_str(out, help);
	wbuf_str(out, "\n# TYPE ");
	wbuf_str(out, name);
	wbuf_u8(out, ' ');
	wbuf_str(out, type);
	wbuf_u8(out, '\n');
}

static void
value(struct wbuf *out, uint64_t v)
{
	wbuf_u8(out, ' ');
	wbuf_dec(out, v);
	wbuf_u8(out, '\n');
}

static void
single(struct wbuf *out, const char *name, const char *type, const char *help,
    uint64_t v)
{
	head(out, name, type, help);
	wbuf_str(out, name);
	value(out, v);
}

static void
write_decision(const char *door, size_t mech, unsigned int verdict,
    unsigned int reason, uint64_t count, struct wbuf *out)
{
	if (count == 0)
		return;
	wbuf_str(out, "onecred_decisions_total{door=\"");
	wbuf_str(out, door);
	wbuf_str(out, "\",mech=\"");
	mech_write(mech, out);
	wbuf_str(out, "\",verdict=\"");
	wbuf_str(out, verdict_str((enum verdict)verdict));
	wbuf_str(out, "\",reason=\"");
	wbuf_str(out, reason_str((enum reason)reason));
	wbuf_str(out, "\"}");
	value(out, count);
}

static void
write_decisions(const struct metrics *m, struct wbuf *out)
{
	head(out, "onecred_decisions_total", "counter",
	    "Decisions about logins.");
	for (size_t i = 0; i < METRICS_DOORS; i++)
		for (size_t k = 0; k < METRICS_MECHS; k++)
			for (unsigned int v = 0; v < VERDICTS; v++)
				for (unsigned int r = 0; r < REASON_COUNT; r++)
					write_decision(m->doors[i], k, v, r,
					    m->decisions[i][k][v][r], out);
}

static void
write_drops(const struct metrics *m, struct wbuf *out)
{
	head(out, "onecred_dropped_total", "counter",
	    "Packets that were not answered.");
	for (size_t i = 0; i < METRICS_DROPS && m->drops[i].kind != NULL;
	    i++) {
		wbuf_str(out, "onecred_dropped_total{door=\"");
		wbuf_str(out, m->drops[i].door);
		wbuf_str(out, "\",kind=\"");
		wbuf_str(out, m->drops[i].kind);
		wbuf_str(out, "\"}");
		value(out, m->drops[i].count);
	}
}

/* Microseconds as decimal seconds. */
static void
write_seconds(uint64_t usec, struct wbuf *out)
{
	wbuf_dec(out, usec / 1000000);
	wbuf_u8(out, '.');
	for (uint64_t unit = 100000; unit > 0; unit /= 10)
		wbuf_u8(out, (uint8_t)('0' + usec / unit % 10));
}

static void
write_lookups(const struct metrics *m, struct wbuf *out)
{
	uint64_t sum = 0;

	head(out, "onecred_lookup_seconds", "histogram",
	    "Time of the lookups that the database answered.");
	for (size_t i = 0; i <= METRICS_BUCKETS; i++) {
		sum += m->lookups[i];
		wbuf_str(out, "onecred_lookup_seconds_bucket{le=\"");
		wbuf_str(out, i < METRICS_BUCKETS ? bounds[i].seconds :
		    "+Inf");
		wbuf_str(out, "\"}");
		value(out, sum);
	}
	wbuf_str(out, "onecred_lookup_seconds_sum ");
	write_seconds(m->lookups_usec, out);
	wbuf_str(out, "\nonecred_lookup_seconds_count");
	value(out, sum);
}

void
metrics_write(const struct metrics *metrics, const struct store_stats *store,
    bool ready, struct wbuf *out)
{
	write_decisions(metrics, out);
	write_drops(metrics, out);
	write_lookups(metrics, out);
	single(out, "onecred_lookups_total", "counter",
	    "Lookups asked of the database.", store->lookups);
	single(out, "onecred_lookups_unavailable_total", "counter",
	    "Lookups that had no answer in time.", store->unavailable);
	single(out, "onecred_lookups_in_flight", "gauge",
	    "Lookups that wait for their answer.", store->in_flight);
	single(out, "onecred_database_syncs_total", "counter",
	    "Batches of lookups sent to the database.", store->syncs);
	single(out, "onecred_database_connects_total", "counter",
	    "Connections made to the database.", store->connects);
	single(out, "onecred_database_connections_ready", "gauge",
	    "Connections to the database that are usable now.", store->ready);
	single(out, "onecred_ready", "gauge",
	    "1 if the database can be asked, else 0.", ready);
}
