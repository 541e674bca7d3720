/*
 * Results matched with the queries that are in flight. A result must never
 * reach another slot than its own: it would judge one account by the row of
 * another. So at any doubt about the order the answer is DISORDER, and the
 * connection's owner closes it.
 */

#include "store/pipeline.h"

#include "core/err.h"

#define SLOT_MASK	(PIPELINE_SLOTS - 1U)

int
pipeline_init(struct pipeline *pipeline, PGconn *pg)
{
	pipeline->pg = pg;
	pipeline->first = pipeline->next = pipeline->open = 0;
	pipeline->unsynced = pipeline->syncs = 0;
	pipeline->between = false;
	return PQsetnonblocking(pg, 1) == 0 && PQenterPipelineMode(pg) == 1 ?
	    0 : -ERR_SYSTEM;
}

unsigned int
pipeline_in_flight(const struct pipeline *pipeline)
{
	return pipeline->next - pipeline->first;
}

int64_t
pipeline_oldest(const struct pipeline *pipeline)
{
	return pipeline->slots[pipeline->first & SLOT_MASK].sent;
}

uint32_t
pipeline_push(struct pipeline *pipeline, void *token, int64_t now)
{
	struct slot *slot = &pipeline->slots[pipeline->next & SLOT_MASK];

	slot->token = token;
	slot->sent = now;
	slot->batch = 0;
	slot->question = false;
	pipeline->unsynced++;
	return pipeline->next++;
}

unsigned int
pipeline_open(const struct pipeline *pipeline)
{
	return pipeline->next - pipeline->open;
}

void
pipeline_close(struct pipeline *pipeline)
{
	pipeline->slots[pipeline->open & SLOT_MASK].batch =
	    pipeline_open(pipeline);
	pipeline->open = pipeline->next;
}

void
pipeline_mark_question(struct pipeline *pipeline)
{
	pipeline->slots[(pipeline->next - 1) & SLOT_MASK].question = true;
}

bool
pipeline_question(const struct pipeline *pipeline)
{
	return pipeline->first != pipeline->open &&
	    pipeline->slots[pipeline->first & SLOT_MASK].question;
}

unsigned int
pipeline_batch(const struct pipeline *pipeline)
{
	if (pipeline->first == pipeline->open)
		return 0;
	return pipeline->slots[pipeline->first & SLOT_MASK].batch;
}

void
pipeline_forget(struct pipeline *pipeline, uint32_t slot)
{
	pipeline->slots[slot & SLOT_MASK].token = NULL;
}

void *
pipeline_pop(struct pipeline *pipeline)
{
	return pipeline->slots[--pipeline->next & SLOT_MASK].token;
}

void *
pipeline_shift(struct pipeline *pipeline)
{
	return pipeline->slots[pipeline->first++ & SLOT_MASK].token;
}

int
pipeline_sync(struct pipeline *pipeline)
{
	if (PQpipelineSync(pipeline->pg) != 1)
		return -ERR_SYSTEM;
	pipeline->unsynced = 0;
	pipeline->syncs++;
	return 0;
}

enum pipeline_take
pipeline_take(struct pipeline *pipeline, PGresult **result)
{
	*result = NULL;
	/* A sync follows whatever was sent, so without one nothing is due. */
	while (pipeline->syncs > 0 && !PQisBusy(pipeline->pg)) {
		PGresult *r = PQgetResult(pipeline->pg);

		/* Each query's result is followed by one NULL, a sync's not. */
		if ((r == NULL) != pipeline->between) {
			PQclear(r);
			return PIPELINE_DISORDER;
		}
		pipeline->between = false;
		if (r == NULL)
			continue;
		if (PQresultStatus(r) == PGRES_PIPELINE_SYNC) {
			PQclear(r);
			pipeline->syncs--;
			return PIPELINE_SYNCED;
		}
		pipeline->between = true;
		*result = r;
		return PIPELINE_RESULT;
	}
	return PIPELINE_BUSY;
}
