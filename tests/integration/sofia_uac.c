/*
 * A phone on sofia-sip, the stack below FreeSWITCH, for test_sip_phones.py:
 * makes one request, answers every challenge of a 401 or 407 with one user and
 * password, and ends a call that is taken by BYE. It decides nothing itself
 * about credentials: which rows go into which request is sofia-sip's.
 *
 *     sofia_uac INVITE|MESSAGE|REGISTER URI PROXY USER <PASSWORD
 *
 * PROXY: "sip:127.0.0.1:5060;lr". The account is USER@example.com. Prints
 * "EVENT STATUS" for each answer; status 0 if the last one was 200.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SU_ROOT_MAGIC_T	struct phone
#define NUA_MAGIC_T	struct phone
#define NUA_HMAGIC_T	void

#include <sofia-sip/su.h>
#include <sofia-sip/nua.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/su_wait.h>

#define AUTH_MAX	1024
#define REALMS_MAX	3
#define TRIES_MAX	6	/* a phone gives up, too */

#define SDP	"v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\n" \
		"c=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"

struct phone {
	su_root_t	*root;
	const char	*user;
	char		 password[256];
	unsigned int	 tries;
	int		 status;	/* of the last final answer */
};

/* Appends "Digest:"realm":user:password" for each challenge. */
static size_t
add_credentials(const struct phone *phone, const msg_auth_t *challenge,
    char (*texts)[AUTH_MAX], size_t n)
{
	for (; challenge != NULL && n < REALMS_MAX;
	    challenge = challenge->au_next) {
		const char *realm;

		realm = msg_params_find(
		    (const msg_param_t *)challenge->au_params, "realm=");
		if (realm == NULL)
			continue;
		printf("challenge %s\n", realm);
		snprintf(texts[n++], AUTH_MAX, "%s:%s:%s:%s",
		    challenge->au_scheme, realm, phone->user, phone->password);
	}
	return n;
}

/*
 * NB: in one call: sofia-sip sends the request again with the first, and
 * leaves all credentials out as long as one challenge has none.
 */
static void
authenticate(const struct phone *phone, nua_handle_t *nh, const sip_t *sip)
{
	char texts[REALMS_MAX][AUTH_MAX] = { "" };
	size_t n;

	n = add_credentials(phone, sip->sip_www_authenticate, texts, 0);
	n = add_credentials(phone, sip->sip_proxy_authenticate, texts, n);
	nua_authenticate(nh, TAG_IF(n > 0, NUTAG_AUTH(texts[0])),
	    TAG_IF(n > 1, NUTAG_AUTH(texts[1])),
	    TAG_IF(n > 2, NUTAG_AUTH(texts[2])), TAG_END());
}

static void
on_answer(struct phone *phone, nua_t *nua, nua_handle_t *nh, nua_event_t event,
    int status, const sip_t *sip)
{
	if (status < 200)
		return;
	printf("%s %d\n", nua_event_name(event), status);
	phone->status = status;
	if ((status == 401 || status == 407) && sip != NULL &&
	    phone->tries++ < TRIES_MAX)
		authenticate(phone, nh, sip);
	else if (event == nua_r_invite && status == 200)
		nua_bye(nh, TAG_END());
	else
		nua_shutdown(nua);
}

static void
on_event(nua_event_t event, int status, const char *phrase, nua_t *nua,
    nua_magic_t *phone, nua_handle_t *nh, nua_hmagic_t *hmagic,
    const sip_t *sip, tagi_t tags[])
{
	(void)phrase;
	(void)hmagic;
	(void)tags;
	switch ((int)event) {
	case nua_r_invite:
	case nua_r_message:
	case nua_r_register:
	case nua_r_bye:
		on_answer(phone, nua, nh, event, status, sip);
		break;
	case nua_r_shutdown:
		if (status >= 200)
			su_root_break(phone->root);
		break;
	default:
		break;
	}
}

static void
start(nua_handle_t *nh, const char *method)
{
	if (strcmp(method, "REGISTER") == 0)
		nua_register(nh, NUTAG_REGISTRAR("sip:example.com"),
		    TAG_END());
	else if (strcmp(method, "MESSAGE") == 0)
		nua_message(nh, SIPTAG_CONTENT_TYPE_STR("text/plain"),
		    SIPTAG_PAYLOAD_STR("hello"), TAG_END());
	else
		nua_invite(nh, SIPTAG_CONTENT_TYPE_STR("application/sdp"),
		    SIPTAG_PAYLOAD_STR(SDP), TAG_END());
}

int
main(int argc, char **argv)
{
	struct phone phone = { .status = 0 };
	char from[AUTH_MAX];
	nua_handle_t *nh;
	nua_t *nua;

	if (argc != 5 ||
	    fgets(phone.password, sizeof(phone.password), stdin) == NULL) {
		fprintf(stderr, "usage: sofia_uac METHOD URI PROXY USER\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	phone.password[strcspn(phone.password, "\n")] = '\0';
	phone.user = argv[4];
	snprintf(from, sizeof(from), "<sip:%s@example.com>", argv[4]);
	if (su_init() != 0)
		return 2;
	phone.root = su_root_create(&phone);
	/* All in this thread. */
	su_root_threading(phone.root, 0);
	nua = nua_create(phone.root, on_event, &phone,
	    NUTAG_URL("sip:127.0.0.1:*;transport=udp"), NUTAG_PROXY(argv[3]),
	    NUTAG_MEDIA_ENABLE(0), NUTAG_OUTBOUND("no-options-keepalive"),
	    TAG_END());
	if (nua == NULL)
		return 2;
	nh = nua_handle(nua, NULL, SIPTAG_FROM_STR(from),
	    SIPTAG_TO_STR(strcmp(argv[1], "REGISTER") == 0 ? from : argv[2]),
	    NUTAG_URL(argv[2]), TAG_END());
	start(nh, argv[1]);
	su_root_run(phone.root);
	nua_handle_destroy(nh);
	nua_destroy(nua);
	su_root_destroy(phone.root);
	su_deinit();
	return phone.status == 200 ? 0 : 1;
}
