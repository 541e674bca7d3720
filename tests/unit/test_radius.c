/*
 * The RADIUS door over a real UDP socket, with an auth of the test's own that
 * decides when and what the test wants. That nothing is answered is seen by
 * the next thing on the wire being the answer to a Status-Server sent behind.
 */

#include "radius_door.h"

static uint8_t other_secret[] = "other";

START_TEST(accept_is_the_vector)
{
	open_door(INADDR_LOOPBACK);
	ask(OWN_DIGEST_REQUEST);
	ck_assert_uint_eq(asked_n, 1);
	ck_assert_int_eq(asked[0].request.kind, AUTH_DIGEST);
	ck_assert_str_eq(asked[0].request.door, "radius");
	ck_assert_str_eq(asked_name, "alice");
	ck_assert_str_eq(asked_lookup, "alice");
	ck_assert_str_eq(asked_source, "127.0.0.1");
	silence();
	decide(0, VERDICT_ALLOW, "alice", "89dc0f0270907fa0aa7bd5968b9d8aea");
	answer_is(OWN_ACCEPT);
	silence();
}
END_TEST

START_TEST(reject_is_the_vector)
{
	open_door(INADDR_LOOPBACK);
	ask(OWN_DIGEST_REQUEST);
	decide(0, VERDICT_DENY, NULL, NULL);
	answer_is(OWN_REJECT);
	silence();
}
END_TEST

START_TEST(unavailable_is_silence)
{
	open_door(INADDR_LOOPBACK);
	for (size_t i = 0; i < 3; i++) {
		ask(OWN_DIGEST_REQUEST);
		/* Each retransmission is a new attempt. */
		ck_assert_uint_eq(asked_n, i + 1);
		decide(i, VERDICT_UNAVAILABLE, NULL, NULL);
		silence();
	}
	ask(OWN_DIGEST_REQUEST);
	decide(3, VERDICT_DENY, NULL, NULL);
	answer_is(OWN_REJECT);
}
END_TEST

START_TEST(unavailable_is_reject_if_wanted)
{
	client.unavailable_reject = true;
	open_door(INADDR_LOOPBACK);
	ask(OWN_DIGEST_REQUEST);
	decide(0, VERDICT_UNAVAILABLE, NULL, NULL);
	answer_is(OWN_REJECT);
}
END_TEST

START_TEST(rfc5080_duplicates)
{
	int other;
	struct octets o;

	open_door(INADDR_LOOPBACK);
	for (int i = 0; i < 3; i++)
		ask(OWN_DIGEST_REQUEST);
	ck_assert_uint_eq(asked_n, 1);
	silence();
	decide(0, VERDICT_ALLOW, "alice", "89dc0f0270907fa0aa7bd5968b9d8aea");
	answer_is(OWN_ACCEPT);
	for (int i = 0; i < 3; i++) {
		ask(OWN_DIGEST_REQUEST);
		answer_is(OWN_ACCEPT);
	}
	ck_assert_uint_eq(asked_n, 1);
	silence();
	/* From another port it is another request. */
	other = client_socket();
	ask_from(other, unhex(OWN_DIGEST_REQUEST, &o));
	ck_assert_uint_eq(asked_n, 2);
	decide(1, VERDICT_DENY, NULL, NULL);
	(void)close(other);
	ask(OWN_DIGEST_REQUEST);
	answer_is(OWN_ACCEPT);
}
END_TEST

/* Whether it is the account's is decided with the rest (service/auth.c). */
START_TEST(rfc5090_aor_is_handed_on)
{
	open_door(INADDR_LOOPBACK);
	ask(OWN_DIGEST_REQUEST);
	ck_assert_str_eq(asked_aor.localpart, "alice");
	ck_assert_str_eq(asked_aor.domain, "example.com");
}
END_TEST

START_TEST(sterman_accept_is_plain)
{
	struct octets o;
	struct radius_packet packet;
	struct span value;

	open_door(INADDR_LOOPBACK);
	ask(OWN_STERMAN_REQUEST);
	ck_assert_str_eq(asked_lookup, "alice@example.com");
	decide(0, VERDICT_ALLOW, "alice", "89dc0f0270907fa0aa7bd5968b9d8aea");
	ck_assert_int_eq(radius_packet_parse(answer(&o), &packet), 0);
	ck_assert_uint_eq(packet.code, RADIUS_ACCESS_ACCEPT);
	ck_assert_uint_eq(packet.octets.n, 38);
	ck_assert_uint_eq(radius_packet_find(&packet,
	    RADIUS_MESSAGE_AUTHENTICATOR, &value), 1);
}
END_TEST

START_TEST(rfc5997_status_server)
{
	struct octets o;

	open_door(INADDR_LOOPBACK);
	ask(OWN_STATUS_REQUEST);
	answer_is(OWN_STATUS_ACCEPT);
	ask(OWN_STATUS_REQUEST);
	answer_is(OWN_STATUS_ACCEPT);
	/* Unsigned: silence, although this client need not sign. */
	(void)unhex(OWN_STATUS_REQUEST, &o);
	o.p[3] = 20;
	ask_from(wire, span_mem(o.p, 20));
	silence();
	ck_assert_uint_eq(asked_n, 0);
}
END_TEST

START_TEST(stranger)
{
	client_is(0x0a000000, 8);
	open_door(INADDR_LOOPBACK);
	for (int i = 0; i < 5; i++)
		ask(OWN_DIGEST_REQUEST);
	ck_assert_uint_eq(asked_n, 0);
	ck_assert_ptr_nonnull(strstr(lines, "127.0.0.1 is no "
	    "[radius-client]"));
	/* Once a minute. */
	ck_assert_ptr_eq(strchr(lines, '\n'), strrchr(lines, '\n'));
	client_is(INADDR_LOOPBACK, 32);
	radius_door_reload(door, &settings);
	silence();
}
END_TEST

START_TEST(unsigned_and_required)
{
	client.require_message_authenticator = true;
	client.secret = (struct secret){ (uint8_t []){ "testing123" }, 10 };
	open_door(INADDR_LOOPBACK);
	for (int i = 0; i < 3; i++)
		ask(KAMAILIO_STERMAN_REQUEST);
	ck_assert_uint_eq(asked_n, 0);
	ck_assert_ptr_nonnull(strstr(lines, "[radius-client kam]"));
	ck_assert_ptr_nonnull(strstr(lines,
	    "require_message_authenticator = no"));
	ck_assert_ptr_eq(strchr(lines, '\n'), strrchr(lines, '\n'));
}
END_TEST

START_TEST(kamailio_unsigned)
{
	struct octets o;
	struct radius_packet packet;
	struct radius_attribute attribute;
	uint8_t out[16];
	struct span authenticator, request = unhex(KAMAILIO_STERMAN_REQUEST,
	    &o);

	client.secret = (struct secret){ (uint8_t []){ "testing123" }, 10 };
	open_door(INADDR_LOOPBACK);
	ask_from(wire, request);
	ck_assert_uint_eq(asked_n, 1);
	ck_assert_str_eq(asked_name, "alice");
	ck_assert_str_eq(asked_lookup, "alice@example.com");
	memcpy(out, o.p + 4, sizeof(out));
	authenticator = span_mem(out, sizeof(out));
	decide(0, VERDICT_ALLOW, "alice", "");
	ck_assert_int_eq(radius_packet_parse(answer(&o), &packet), 0);
	/* It is signed all the same, and that comes first. */
	ck_assert(radius_attribute_next(&packet.attributes, &attribute));
	ck_assert_uint_eq(attribute.type, RADIUS_MESSAGE_AUTHENTICATOR);
	ck_assert_int_eq(radius_packet_parse(packet.octets, &packet), 0);
	ck_assert_int_eq(radius_packet_authentic(crypto, &packet,
	    authenticator, SPAN_LIT("testing123")), RADIUS_AUTHENTIC);
}
END_TEST

START_TEST(forged)
{
	struct octets o;
	struct span request = unhex(OWN_DIGEST_REQUEST, &o);

	open_door(INADDR_LOOPBACK);
	for (size_t i = 4; i < request.n; i += 7) {
		o.p[i] ^= 0x10;
		ask_from(wire, request);
		o.p[i] ^= 0x10;
	}
	ck_assert_uint_eq(asked_n, 0);
	silence();
	ck_assert_ptr_nonnull(strstr(lines, "wrong Message-Authenticator"));
	ck_assert_ptr_nonnull(strstr(dropped_kinds, "forged"));
	ck_assert_uint_eq(dropped, (request.n - 4 + 6) / 7);
}
END_TEST

/* CVE-2024-3596: Proxy-State of an unsigned request is never echoed. */
START_TEST(proxy_state_unsigned)
{
	struct octets o;

	open_door(INADDR_LOOPBACK);
	(void)unhex(KAMAILIO_RFC5090_REQUEST, &o);
	memcpy(o.p + o.n, "\x21\x05" "abc", 5);
	o.n += 5;
	o.p[3] = (uint8_t)o.n;
	ask_from(wire, span_mem(o.p, o.n));
	ck_assert_uint_eq(asked_n, 0);
	silence();
	ck_assert_ptr_nonnull(strstr(lines, "Proxy-State"));
}
END_TEST

START_TEST(proxy_state_in_order)
{
	static const char states[] = "\x21\x05" "one" "\x21\x02" "\x21\x04"
	    "\0\1";
	struct span expected = span_mem(states, sizeof(states) - 1);
	struct octets o;
	int verdict;

	for (verdict = 0; verdict < 2; verdict++) {
		open_door(INADDR_LOOPBACK);
		(void)unhex(OWN_STERMAN_REQUEST, &o);
		memcpy(o.p + o.n, states, expected.n);
		o.n += expected.n;
		ask_from(wire, sign(&o));
		decide(asked_n - 1, verdict == 1 ? VERDICT_ALLOW :
		    VERDICT_DENY, "alice", "");
		ck_assert(span_equal(span_tail(answer(&o), 38), expected));
		/* Refused at sight: the same. */
		(void)unhex(OWN_NONCE_REQUEST, &o);
		o.p[1]++;
		memcpy(o.p + o.n, states, expected.n);
		o.n += expected.n;
		ask_from(wire, sign(&o));
		ck_assert_uint_eq(answer(&o).p[0], RADIUS_ACCESS_REJECT);
		ck_assert(span_equal(span_tail(span_mem(o.p, o.n), 38),
		    expected));
		radius_door_free(&door);
		(void)close(server);
		(void)close(wire);
	}
	server = wire = -1;
}
END_TEST

/* A reply that would exceed a packet is not made, and nobody crashes. */
START_TEST(proxy_state_too_much)
{
	struct octets o;

	open_door(INADDR_LOOPBACK);
	memset(&o, 0, sizeof(o));
	(void)unhex(OWN_STERMAN_REQUEST, &o);
	memcpy(o.p + 38, "\x21\xff", 2);
	for (o.n = 38; o.n + 255 <= RADIUS_PACKET_MAX; o.n += 255)
		memcpy(o.p + o.n, "\x21\xff", 2);
	o.p[0] = RADIUS_ACCESS_REQUEST;
	ask_from(wire, sign(&o));
	/* 38 + 15 * 255 fits: Reject, all of it echoed. */
	ck_assert_uint_eq(answer(&o).n, 38 + 15 * 255);
	silence();
}
END_TEST

START_TEST(rfc2865_pap)
{
	static const char head[] = "\1\11\0\0";
	struct octets o, hidden, authenticator;
	struct span a = unhex(OWN_AUTHENTICATOR, &authenticator);
	struct span h = unhex(OWN_HIDDEN, &hidden);

	open_door(INADDR_LOOPBACK);
	memcpy(o.p, head, 4);
	memcpy(o.p + 4, a.p, a.n);
	memcpy(o.p + 38, "\1\23alice@example.com\2\22", 21);
	memcpy(o.p + 38 + 21, h.p, h.n);
	o.n = 38 + 21 + h.n;
	ask_from(wire, sign(&o));
	ck_assert_uint_eq(asked_n, 1);
	ck_assert_int_eq(asked[0].request.kind, AUTH_PASSWORD);
	ck_assert_str_eq(asked_name, "alice@example.com");
	ck_assert_str_eq(asked_password, "wonderland");
	decide(0, VERDICT_ALLOW, "alice", "");
	ck_assert_uint_eq(answer(&o).p[0], RADIUS_ACCESS_ACCEPT);
	ck_assert_uint_eq(o.n, 38);
	ck_assert_ptr_null(strstr(lines, "wonderland"));
}
END_TEST

static const uint8_t codes[] = { 0, 2, 3, 4, 5, 11, 13, 40, 43, 52, 255 };

START_TEST(other_codes)
{
	struct octets o;
	struct span request = unhex(OWN_DIGEST_REQUEST, &o);

	open_door(INADDR_LOOPBACK);
	o.p[0] = codes[_i];
	o.p[20] = 26;	/* unsigned */
	ask_from(wire, request);
	silence();
	ck_assert_uint_eq(asked_n, 0);
}
END_TEST

START_TEST(truncated_at_each_length)
{
	struct octets o;
	struct span request = unhex(OWN_DIGEST_REQUEST, &o);

	open_door(INADDR_LOOPBACK);
	for (size_t n = 0; n < request.n; n++)
		ask_from(wire, span_head(request, n));
	ck_assert_uint_eq(asked_n, 0);
	silence();
}
END_TEST

/* Under way while the secret changes: answered with the old one. */
START_TEST(reload)
{
	struct octets o;

	open_door(INADDR_LOOPBACK);
	ask(OWN_DIGEST_REQUEST);
	client.secret = (struct secret){ other_secret,
	    sizeof(other_secret) - 1 };
	radius_door_reload(door, &settings);
	(void)unhex(OWN_DIGEST_REQUEST, &o);
	o.p[1]++;
	ask_from(wire, sign(&o));
	ck_assert_uint_eq(asked_n, 1);
	decide(0, VERDICT_ALLOW, "alice", "89dc0f0270907fa0aa7bd5968b9d8aea");
	answer_is(OWN_ACCEPT);
	ck_assert_ptr_nonnull(strstr(lines, "wrong Message-Authenticator"));
}
END_TEST

START_TEST(free_cancels)
{
	open_door(INADDR_LOOPBACK);
	ask(OWN_DIGEST_REQUEST);
	ask(KAMAILIO_RFC5090_REQUEST);
	ck_assert_uint_eq(asked_n, 2);
	radius_door_free(&door);
	ck_assert_uint_eq(cancelled, 2);
}
END_TEST

/* The id was used again meanwhile: its answer is the second request's. */
START_TEST(id_used_again)
{
	struct octets o;
	struct span second;

	open_door(INADDR_LOOPBACK);
	ask(OWN_DIGEST_REQUEST);
	(void)unhex(OWN_STERMAN_REQUEST, &o);
	o.p[4] ^= 1;
	second = sign(&o);
	ask_from(wire, second);
	ck_assert_uint_eq(asked_n, 2);
	decide(1, VERDICT_DENY, NULL, NULL);
	ck_assert_uint_eq(answer(&(struct octets){ .n = 0 }).p[0],
	    RADIUS_ACCESS_REJECT);
	decide(0, VERDICT_ALLOW, "alice", "89dc0f0270907fa0aa7bd5968b9d8aea");
	answer_is(OWN_ACCEPT);
	ask_from(wire, second);
	ck_assert_uint_eq(asked_n, 2);
	ck_assert_uint_eq(answer(&o).p[0], RADIUS_ACCESS_REJECT);
}
END_TEST

START_TEST(pending_bound)
{
	struct octets o;
	struct span request = unhex(KAMAILIO_RFC5090_REQUEST, &o);
	size_t sent = 0, count = 0;
	/* All open to the end: a port used twice would make duplicates. */
	int fds[8300 / 256 + 1];

	open_door(INADDR_LOOPBACK);
	for (; sent < 8300; sent++) {
		if (sent % 256 == 0)
			fds[count++] = client_socket();
		o.p[1] = (uint8_t)(sent % 256);
		ask_from(fds[count - 1], request);
	}
	while (count > 0)
		(void)close(fds[--count]);
	ck_assert_uint_eq(asked_n, 8192);
	ck_assert_ptr_nonnull(strstr(lines, "too many"));
	/* One is done, one more may come. */
	decide(0, VERDICT_DENY, NULL, NULL);
	ask_from(wire, request);
	ck_assert_uint_eq(asked_n, 8193);
	ask(OWN_STERMAN_REQUEST);
	ck_assert_uint_eq(asked_n, 8193);
	silence();
}
END_TEST

/* Bound to all addresses, it answers from the one that was asked. */
START_TEST(answers_from_the_address_asked)
{
	struct sockaddr_in to, from;
	socklen_t n = sizeof(to);
	struct pollfd waiting = { .events = POLLIN };
	struct octets o;
	struct span request = unhex(OWN_STATUS_REQUEST, &o);

	open_door(INADDR_ANY);
	waiting.fd = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_ge(waiting.fd, 0);
	ck_assert_int_eq(getsockname(server, (struct sockaddr *)&to, &n), 0);
	/* NB: by routing the answer would come from 127.0.0.1. */
	to.sin_addr.s_addr = htonl(0x7f000009);
	ck_assert_int_eq(sendto(waiting.fd, request.p, request.n, 0,
	    (struct sockaddr *)&to, sizeof(to)), (ssize_t)request.n);
	ck_assert_int_ge(event_base_loop(base, EVLOOP_ONCE), 0);
	ck_assert_int_eq(poll(&waiting, 1, 5000), 1);
	ck_assert_int_gt(recvfrom(waiting.fd, o.p, sizeof(o.p), 0,
	    (struct sockaddr *)&from, &n), 0);
	ck_assert_uint_eq(ntohl(from.sin_addr.s_addr), 0x7f000009);
	(void)close(waiting.fd);
}
END_TEST

static const struct {
	const char *listen, *why;
} listens[] = {
	{ "nonsense", "is not an address" }, { "", "is not an address" },
	{ "127.0.0.1:70000", "is not an address" },
	{ "192.0.2.1:1812", "cannot listen" }
};

START_TEST(cannot_listen)
{
	struct door_context context = { .sink = &sink };

	context.base = base;
	context.crypto = crypto;
	settings.fd = -1;
	settings.listen = listens[_i].listen;
	ck_assert_ptr_null(radius_door_new(&context, &settings));
	ck_assert_ptr_nonnull(strstr(lines, listens[_i].why));
}
END_TEST

/* Two doors on one port: the second one says so. */
START_TEST(listens_itself)
{
	struct door_context context = { .sink = &sink };
	struct sockaddr_in address;
	socklen_t n = sizeof(address);
	char text[32];

	context.base = base;
	context.crypto = crypto;
	open_door(INADDR_LOOPBACK);
	ck_assert_int_eq(getsockname(server, (struct sockaddr *)&address, &n),
	    0);
	(void)snprintf(text, sizeof(text), "127.0.0.1:%u",
	    ntohs(address.sin_port));
	settings.fd = -1;
	settings.listen = text;
	ck_assert_ptr_null(radius_door_new(&context, &settings));
	ck_assert_ptr_nonnull(strstr(lines, "cannot listen"));
	radius_door_free(&door);
	(void)close(server);
	server = -1;
	door = radius_door_new(&context, &settings);
	ck_assert_ptr_nonnull(door);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("radius");
	TCase *tc = tcase_create("radius");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, accept_is_the_vector);
	tcase_add_test(tc, reject_is_the_vector);
	tcase_add_test(tc, unavailable_is_silence);
	tcase_add_test(tc, unavailable_is_reject_if_wanted);
	tcase_add_test(tc, rfc5080_duplicates);
	tcase_add_test(tc, rfc5090_aor_is_handed_on);
	tcase_add_test(tc, sterman_accept_is_plain);
	tcase_add_test(tc, rfc5997_status_server);
	tcase_add_test(tc, stranger);
	tcase_add_test(tc, unsigned_and_required);
	tcase_add_test(tc, kamailio_unsigned);
	tcase_add_test(tc, forged);
	tcase_add_test(tc, proxy_state_unsigned);
	tcase_add_test(tc, proxy_state_in_order);
	tcase_add_test(tc, proxy_state_too_much);
	tcase_add_test(tc, rfc2865_pap);
	tcase_add_loop_test(tc, other_codes, 0, sizeof(codes));
	tcase_add_test(tc, truncated_at_each_length);
	tcase_add_test(tc, reload);
	tcase_add_test(tc, free_cancels);
	tcase_add_test(tc, id_used_again);
	tcase_add_test(tc, pending_bound);
	tcase_add_test(tc, answers_from_the_address_asked);
	tcase_add_loop_test(tc, cannot_listen, 0,
	    sizeof(listens) / sizeof(listens[0]));
	tcase_add_test(tc, listens_itself);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite)
