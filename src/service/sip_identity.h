#ifndef ONECRED_SIP_IDENTITY_H
#define ONECRED_SIP_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/identity.h"
#include "core/sip_message.h"
#include "core/span.h"
#include "service/realms.h"

/*
 * May the account that was verified use the identity of the request (DESIGN
 * 6.9). Pure: what only the tables know is returned as a question.
 */
enum sip_identity {
	SIP_IDENTITY_REFUSE = 0,
	SIP_IDENTITY_PASS,
	SIP_IDENTITY_ASK	/* STORE_OWNER about the question */
};

#define SIP_IDENTITY_USER_MAX	253	/* octets, unescaped */

/* The URI, unescaped and in lower case; host "" for tel:. */
struct sip_identity_question {
	char	user[SIP_IDENTITY_USER_MAX + 1];
	char	host[DOMAIN_MAX + 1];
	enum identity_check rule;	/* to judge the answer by */
};

/*
 * REGISTER: the address-of-record in To, always (it never is in a dialog: a
 * tag in To must not open other accounts' bindings), and what is no address of
 * the account's domain only under the account's own name or as an alias: most
 * registrars keep the user part alone. Everything else: From, unless To has a
 * tag. question is set for ASK.
 */
enum sip_identity sip_identity_check(const struct sip_message *message,
	    const struct account *account, enum identity_check rule,
	    struct sip_identity_question *question);

/*
 * The store's answer ("alias", "account", "none") under the rule; false if it
 * is none of these: then nobody knows.
 */
bool	sip_identity_owned(struct span answer, enum identity_check rule,
	    enum sip_identity *out);

#endif
