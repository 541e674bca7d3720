/*
 * /v1 of the HTTP door: decisions that take time, peers that leave meanwhile,
 * the end of the daemon, a reload, and what is refused at once.
 */

#include "http_door.h"

/* The decision falls. */
static void
decide(enum verdict verdict, enum reason reason)
{
	struct auth_reply reply = { .verdict = verdict, .reason = reason };

	asked.auth(&reply, asked.arg);
}

#define HEALTH	"GET /healthz HTTP/1.1\r\n" CLOSE
#define BODY	"{\"user\":\"alice@example.com\",\"password\":\"" CANARY "\"}"
#define JSON	"Content-Type: application/json\r\n"

/* A question that takes time. */
static void
put_password(int fd)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "POST /v1/password HTTP/1.1\r\n"
	    HOST BEARER JSON "Content-Length: %zu\r\n\r\n%s",
	    strlen(BODY), BODY);
	put(fd, text);
}

static void
wait_count(const unsigned int *count, unsigned int n)
{
	unsigned int start = now_ms();

	while (*count < n) {
		turn();
		ck_assert_uint_lt(now_ms() - start, WAIT_MS);
	}
	ck_assert_uint_eq(*count, n);
}

/* Nothing comes in so many milliseconds. */
static void
stays_silent(int fd, unsigned int ms)
{
	unsigned int start = now_ms();

	answer_n = 0;
	while (now_ms() - start < ms) {
		turn();
		ck_assert(receive(fd));
		ck_assert_uint_eq(answer_n, 0);
	}
}

START_TEST(answered_later)
{
	int fd = connect_peer();

	for (unsigned int i = 1; i <= 3; i++) {
		put_password(fd);
		wait_count(&asked.submitted, i);
		ck_assert_str_eq(asked.name, "alice@example.com");
		ck_assert_str_eq(asked.password, CANARY);
		ck_assert_uint_eq(http_door_busy(door), 1);
		stays_silent(fd, 20);
		decide(VERDICT_DENY, REASON_UNKNOWN_USER);
		wait_text(fd, "{\"verdict\":\"deny\",\"reason\":"
		    "\"wrong-password\"}\n");
		starts("HTTP/1.1 200 ");
		ck_assert_uint_eq(http_door_busy(door), 0);
	}
	put_password(fd);
	wait_count(&asked.submitted, 4);
	decide(VERDICT_UNAVAILABLE, REASON_DB_DOWN);
	wait_text(fd, "\"db-down\"}\n");
	starts("HTTP/1.1 503 ");
	ck_assert_ptr_nonnull(strstr(answer, "\r\nRetry-After: 1\r\n"));
	(void)close(fd);
	turn();
	ck_assert_uint_eq(asked.cancelled, 0);
}
END_TEST

/* The database's deadline counts then, not the door's. */
START_TEST(a_decision_may_take_time)
{
	int fd;

	settings.request_ms = SHORT_MS;
	open_door();
	fd = connect_peer();
	put_password(fd);
	wait_count(&asked.submitted, 1);
	stays_silent(fd, 3 * SHORT_MS);
	ck_assert_uint_eq(asked.cancelled, 0);
	decide(VERDICT_ALLOW, REASON_OK);
	wait_text(fd, "\"allow\"");
	/* From here on it is the peer's again. */
	talk(fd, "", 0);
	(void)close(fd);
}
END_TEST

/* It counts and is logged whether or not its asker stays. */
START_TEST(leaver_is_decided)
{
	int fd;

	for (unsigned int i = 1; i <= 3; i++) {
		fd = connect_peer();
		put_password(fd);
		wait_count(&asked.submitted, i);
		(void)close(fd);
		turn();
		ck_assert_uint_eq(http_door_busy(door), 1);
		decide(VERDICT_ALLOW, REASON_OK);
		ck_assert_uint_eq(asked.cancelled, 0);
		while (http_door_busy(door) > 0)
			turn();
	}
	ask(HEALTH, sizeof(HEALTH) - 1);
	starts("HTTP/1.1 200 OK\r\n");
}
END_TEST

/* Nothing more to ask is not nobody there. */
START_TEST(half_closed_is_answered)
{
	unsigned int start = now_ms();
	int fd = connect_peer();

	put_password(fd);
	if (_i > 0)
		wait_count(&asked.submitted, 1);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	wait_count(&asked.submitted, 1);
	stays_silent(fd, 20);
	decide(VERDICT_ALLOW, REASON_OK);
	wait_text(fd, "\"allow\"");
	starts("HTTP/1.1 200 ");
	talk(fd, "", 0);
	(void)close(fd);
	/* The end of the connection does not wait for its deadline either. */
	ck_assert_uint_lt(now_ms() - start, WAIT_MS / 2);
}
END_TEST

/* The second question waits for the first one's answer. */
START_TEST(one_at_a_time)
{
	int fd = connect_peer();

	put_password(fd);
	put_password(fd);
	put(fd, "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
	wait_count(&asked.submitted, 1);
	stays_silent(fd, 20);
	ck_assert_uint_eq(asked.submitted, 1);
	decide(VERDICT_ALLOW, REASON_OK);
	wait_text(fd, "\"allow\"");
	wait_count(&asked.submitted, 2);
	decide(VERDICT_DENY, REASON_DISABLED);
	wait_text(fd, "\r\n\r\nok\n");
	(void)close(fd);
}
END_TEST

START_TEST(many_wait)
{
	auth_cb *cbs[8];
	void *args[8];
	int fds[8];
	const struct auth_reply reply = { .verdict = VERDICT_ALLOW,
	    .reason = REASON_OK };

	for (unsigned int i = 0; i < 8; i++) {
		fds[i] = connect_peer();
		put_password(fds[i]);
		wait_count(&asked.submitted, i + 1);
		cbs[i] = asked.auth;
		args[i] = asked.arg;
	}
	ck_assert_uint_eq(http_door_busy(door), 8);
	(void)close(fds[3]);
	for (int i = 7; i >= 0; i--)
		cbs[i](&reply, args[i]);
	for (int i = 0; i < 8; i++) {
		if (i == 3)
			continue;
		wait_text(fds[i], "\"allow\"");
		(void)close(fds[i]);
	}
	ck_assert_uint_eq(http_door_busy(door), 0);
}
END_TEST

START_TEST(drained_after_the_answer)
{
	int fd = connect_peer();

	put_password(fd);
	wait_count(&asked.submitted, 1);
	http_door_drain(door);
	ck_assert_uint_eq(http_door_busy(door), 1);
	decide(VERDICT_ALLOW, REASON_OK);
	talk(fd, "", 0);
	starts("HTTP/1.1 200 ");
	ck_assert_ptr_nonnull(strstr(answer, "\r\nConnection: close\r\n"));
	ck_assert_uint_eq(http_door_busy(door), 0);
	(void)close(fd);
}
END_TEST

START_TEST(freed_while_deciding)
{
	int fds[3];

	for (unsigned int i = 0; i < 3; i++) {
		fds[i] = connect_peer();
		put_password(fds[i]);
		wait_count(&asked.submitted, i + 1);
	}
	http_door_free(&door);
	ck_assert_uint_eq(asked.cancelled, 3);
	for (int i = 0; i < 3; i++)
		(void)close(fds[i]);
}
END_TEST

/* Who was let in by the old token gets the answer. */
START_TEST(reloaded_while_deciding)
{
	int fd = connect_peer();

	put_password(fd);
	wait_count(&asked.submitted, 1);
	settings.clients = &clients[1];
	settings.client_count = 1;
	http_door_reload(door, &settings);
	decide(VERDICT_ALLOW, REASON_OK);
	wait_text(fd, "\"allow\"");
	put_password(fd);
	wait_text(fd, "{\"error\":");
	starts("HTTP/1.1 401 ");
	settings.client_count = 0;
	http_door_reload(door, &settings);
	put_password(fd);
	wait_text(fd, "{\"error\":");
	starts("HTTP/1.1 403 ");
	(void)close(fd);
	ck_assert_uint_eq(asked.submitted, 1);
	ck_assert_ptr_null(strstr(lines, CANARY));
}
END_TEST

START_TEST(sip_is_asked)
{
	static const char text[] = "POST /v1/sip?as=proxy&realm=example.com "
	    "HTTP/1.1\r\n" HOST BEARER "Content-Length: 7\r\n\r\nINVITE ";
	const struct sip_reply reply = { .verdict = SIP_FORBID,
	    .status = 403, .row = -1, .reason = REASON_IDENTITY };
	int fd = connect_peer();

	put(fd, text);
	wait_count(&asked.submitted, 1);
	ck_assert_str_eq(asked.message, "INVITE ");
	asked.sip(&reply, asked.arg);
	wait_text(fd, "\"reason\":\"identity\"");
	put(fd, text);
	wait_count(&asked.submitted, 2);
	http_door_free(&door);
	ck_assert_uint_eq(asked.cancelled, 1);
	(void)close(fd);
}
END_TEST

/* Puts the body to the path, with this method. */
static void
put_json(int fd, const char *line, const char *body)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "%s HTTP/1.1\r\n" HOST BEARER JSON
	    "Content-Length: %zu\r\n\r\n%s", line, strlen(body), body);
	put(fd, text);
}

START_TEST(sasl_is_asked)
{
	static const char body[] = "{\"mechanism\":\"PLAIN\",\"domain\":"
	    "\"example.com\",\"data\":\"YzRuYXJ5\"}";
	const struct sasl_reply denied = { .status = SASL_DENY,
	    .reason = REASON_UNKNOWN_USER };
	const struct sasl_reply away = { .status = SASL_UNAVAILABLE,
	    .reason = REASON_DB_DOWN };
	int fd = connect_peer();

	put_json(fd, "POST /v1/sasl", body);
	wait_count(&asked.submitted, 1);
	ck_assert_str_eq(asked.message, CANARY);
	asked.sasl(&denied, asked.arg);
	wait_text(fd, "{\"verdict\":\"deny\",\"reason\":"
	    "\"wrong-password\"}\n");
	starts("HTTP/1.1 200 ");
	put_json(fd, "POST /v1/sasl", body);
	wait_count(&asked.submitted, 2);
	asked.sasl(&away, asked.arg);
	wait_text(fd, "\"db-down\"}\n");
	starts("HTTP/1.1 503 ");
	ck_assert_ptr_nonnull(strstr(answer, "\r\nRetry-After: 1\r\n"));
	/* Not the client's domain; nothing is asked. */
	put_json(fd, "POST /v1/sasl", "{\"mechanism\":\"PLAIN\","
	    "\"domain\":\"example.org\"}");
	wait_text(fd, "\"error\"");
	starts("HTTP/1.1 403 ");
	put_json(fd, "POST /v1/sasl", "{}");
	wait_text(fd, "\"error\"");
	starts("HTTP/1.1 400 ");
	ck_assert_uint_eq(asked.submitted, 2);
	put_json(fd, "POST /v1/sasl", body);
	wait_count(&asked.submitted, 3);
	http_door_free(&door);
	ck_assert_uint_eq(asked.cancelled, 1);
	(void)close(fd);
	ck_assert_ptr_null(strstr(lines, CANARY));
}
END_TEST

static const struct {
	enum account_result result;
	bool		 created;
	const char	*status, *body;
} changes[] = {
	{ ACCOUNT_DONE, false, "200", "{\"result\":\"done\"}\n" },
	{ ACCOUNT_DONE, true, "201", "{\"result\":\"done\"}\n" },
	{ ACCOUNT_REFUSED, false, "422", "{\"error\":\"too odd\"}\n" },
	{ ACCOUNT_NO_ACCOUNT, false, "404", "{\"error\":\"too odd\"}\n" },
	{ ACCOUNT_EXISTS, false, "409", "{\"error\":\"too odd\"}\n" },
	{ ACCOUNT_FOREIGN, false, "403", "{\"error\":\"too odd\"}\n" },
	{ ACCOUNT_UNAVAILABLE, false, "503", "{\"error\":\"too odd\"}\n" }
};

START_TEST(changes_are_asked)
{
	static const char line[] = "PUT /v1/account/bob@example.com";
	const struct account_reply reply = { changes[_i].result,
	    changes[_i].created, "too odd" };
	int fd = connect_peer();

	put_json(fd, line, "{\"password\":\"" CANARY "\"}");
	wait_count(&asked.submitted, 1);
	/* All that the right "set" covers. */
	ck_assert_int_eq((int)asked.change, (int)ACCOUNT_UPDATE);
	ck_assert_str_eq(asked.name, "bob@example.com");
	ck_assert_str_eq(asked.password, CANARY);
	asked.accounts(&reply, asked.arg);
	wait_text(fd, changes[_i].body);
	ck_assert_int_eq(strncmp(answer + 9, changes[_i].status, 3), 0);
	ck_assert_int_eq(strstr(answer, "\r\nRetry-After: 1\r\n") != NULL,
	    changes[_i].result == ACCOUNT_UNAVAILABLE);
	/* Has not the right. */
	put_json(fd, line, "{\"password\":\"" CANARY "\",\"change\":"
	    "\"create\"}");
	wait_text(fd, "has not the right");
	starts("HTTP/1.1 403 ");
	ck_assert_uint_eq(asked.submitted, 1);
	put_json(fd, line, "{\"password\":\"" CANARY "\"}");
	wait_count(&asked.submitted, 2);
	http_door_free(&door);
	ck_assert_uint_eq(asked.cancelled, 1);
	(void)close(fd);
	ck_assert_ptr_null(strstr(lines, CANARY));
}
END_TEST

static const struct {
	const char	*token, *request, *status;
} refusals[] = {
	{ TOKEN "x", "GET /v1/none", "401" }, { "", "GET /v1/none", "401" },
	{ TOKEN, "GET /v1/none", "404" }, { TOKEN, "GET /v1/sip", "405" },
	{ OTHER_TOKEN, "HEAD /v1/account/a@example.com", "403" },
	{ TOKEN, "HEAD /v1/account/a@example.org", "403" },
	{ TOKEN, "DELETE /v1/account/a@example.com", "403" },
	{ TOKEN, "PUT /v1/account/a@example.com", "400" },
	{ TOKEN, "PUT /v1/account/a@example.org", "403" },
	{ OTHER_TOKEN, "PUT /v1/account/a@example.com", "403" },
	{ TOKEN, "GET /v1/sasl", "405" },
	{ OTHER_TOKEN, "POST /v1/sasl", "403" },
	{ TOKEN, "HEAD /v1/account/a", "400" },
	{ TOKEN, "POST /v1/sip?as=proxy&realm=example.com", "411" },
	{ TOKEN, "POST /v1/%zz", "400" }
};

START_TEST(refused_at_once)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "%s HTTP/1.1\r\nAuthorization: "
	    "Bearer %s\r\n" CLOSE, refusals[_i].request,
	    refusals[_i].token);
	ask(text, strlen(text));
	ck_assert_msg(strncmp(answer + 9, refusals[_i].status, 3) == 0, "%s",
	    answer);
	ck_assert_uint_eq(asked.submitted, 0);
	ck_assert_ptr_null(strstr(answer, CANARY));
	ck_assert_ptr_null(strstr(lines, CANARY));
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("http_exchange");
	TCase *tc = tcase_create("http_exchange");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, answered_later);
	tcase_add_test(tc, a_decision_may_take_time);
	tcase_add_test(tc, leaver_is_decided);
	tcase_add_loop_test(tc, half_closed_is_answered, 0, 2);
	tcase_add_test(tc, one_at_a_time);
	tcase_add_test(tc, many_wait);
	tcase_add_test(tc, drained_after_the_answer);
	tcase_add_test(tc, freed_while_deciding);
	tcase_add_test(tc, reloaded_while_deciding);
	tcase_add_test(tc, sip_is_asked);
	tcase_add_test(tc, sasl_is_asked);
	tcase_add_loop_test(tc, changes_are_asked, 0, COUNT(changes));
	tcase_add_loop_test(tc, refused_at_once, 0, COUNT(refusals));
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
