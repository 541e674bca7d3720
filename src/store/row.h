#ifndef ONECRED_ROW_H
#define ONECRED_ROW_H

#include <libpq-fe.h>

#include "core/credential.h"
#include "core/span.h"
#include "store/store.h"

/*
 * Reads row number at of a lookup's result into *out, which must be zeroed and is filled
 * only for STORE_OK (wipe it in any case). domain is the one asked for, or
 * empty; localpart goes into the account's name. STORE_UNAVAILABLE if the
 * result is unusable: *column then names what is at fault.
 */
enum store_status row_read(const PGresult *result, int at,
		    struct span domain, struct span localpart,
		    struct credential *out, const char **column);

#endif
