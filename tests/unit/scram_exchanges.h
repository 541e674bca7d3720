#ifndef ONECRED_SCRAM_EXCHANGES_H
#define ONECRED_SCRAM_EXCHANGES_H

#include <stddef.h>

#include "core/scram_server.h"

/*
 * The exchanges of RFC 5802 section 5, RFC 7677 section 3 and STANDARDS 3.6.
 * Include it in one file of a test program.
 */

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const char sha_1[] = "SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92$"
    "6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=";
static const char sha_256[] = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
static const char sha_512[] = "SCRAM-SHA-512$4096:"
    "Yin2FuHTt/M0kJWb0t9OI32n2VmOGi3m+JfjOvuDF88=$"
    "ERxGuwQnAHA2amc01Vb1Qb9WPqMb68u8swldhuOn4MR7udux+oQ/DNrgcAy5c0/SEZybLeGY"
    "Z5jFkWH5ELNOXA==:gFCGdO8qeAVvqKCfFpqPXI2n2596CVtax0k6IH3gzt94xA9+DgAD6Nwr"
    "ELJ0AjguZNc0dWJxduOe037HEcD1UA==";

#define C_NONCE		"rOprNGfwEbeRWgbNEkqO"
#define S_NONCE		"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define S_FIRST		"r=" C_NONCE S_NONCE \
			",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define PROOF		"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define C_FINAL		"c=biws,r=" C_NONCE S_NONCE ",p=" PROOF

static const struct vector {
	const char *name, *verifier, *c_first, *s_nonce, *s_first, *c_final;
	const char *s_final;
	const char *user, *authzid, *cb_type;
	enum scram_cb_flag flag;
} vectors[] = {
	{ "RFC 5802", sha_1, "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
	  "3rfcNHYJY1ZVvWVs7j",
	  "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,"
	  "i=4096",
	  "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
	  "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
	  "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", "user", "", "", SCRAM_CB_NONE },
	{ "RFC 7677", sha_256, "n,,n=user,r=" C_NONCE, S_NONCE, S_FIRST,
	  C_FINAL, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "user",
	  "", "", SCRAM_CB_NONE },
	{ "y: client supports, server does not", sha_256,
	  "y,,n=user,r=" C_NONCE, S_NONCE, S_FIRST,
	  "c=eSws,r=" C_NONCE S_NONCE
	  ",p=FoqiHTtQEDE8lz1CdaEe3tK4mS+iMDTl77SPyDS53DY=",
	  "v=dI4KpiQJwBr1+V+K6U1dA6l6I4I9DUNXWND4pcpRU3U=", "user", "", "",
	  SCRAM_CB_UNUSED },
	{ "authzid", sha_256, "n,a=user@example.com,n=user,r=" C_NONCE,
	  S_NONCE, S_FIRST,
	  "c=bixhPXVzZXJAZXhhbXBsZS5jb20s,r=" C_NONCE S_NONCE
	  ",p=KkjOHTZx03pdW2LagONDWGxr840mXcRk+yPICM2P4/k=",
	  "v=Eav11AD2zdsX+iPIEfyfvlux4OTFIZFJDA3mi/8m/d8=", "user",
	  "user@example.com", "", SCRAM_CB_NONE },
	{ "RFC 9266 tls-exporter", sha_256,
	  "p=tls-exporter,,n=user,r=" C_NONCE, S_NONCE, S_FIRST,
	  "c=cD10bHMtZXhwb3J0ZXIsLAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4"
	  "f,r=" C_NONCE S_NONCE
	  ",p=QC6CS20quADQRb3mT99YUH+n3VJxUvzuK0K0E1Vrs2M=",
	  "v=2GiAgapEppLVlUXbxUDksL3VgYHzuqiK5tR4mhJGgvs=", "user", "",
	  "tls-exporter", SCRAM_CB_USED },
	{ "escaped user name", sha_256, "n,,n=a=2Cb=3Dc,r=" C_NONCE, S_NONCE,
	  S_FIRST, "c=biws,r=" C_NONCE S_NONCE
	  ",p=SZPNPeS9o66WjPx3GO+3ry3VEj0oTmhDA8jaGvHNN0g=",
	  "v=qQFrXBHbHp99TSlxiDo0Wi+5Uc2kduey2yh8Wv7jYyw=", "a,b=c", "", "",
	  SCRAM_CB_NONE },
	{ "SHA-512", sha_512, "n,,n=user,r=" C_NONCE,
	  "02431b08-2f89-4bad-a4e6-80c0564ec865",
	  "r=" C_NONCE "02431b08-2f89-4bad-a4e6-80c0564ec865,"
	  "s=Yin2FuHTt/M0kJWb0t9OI32n2VmOGi3m+JfjOvuDF88=,i=4096",
	  "c=biws,r=" C_NONCE "02431b08-2f89-4bad-a4e6-80c0564ec865,"
	  "p=Hc5yec3NmCD7t+kFRw4/3yD6/F3SQHc7AVYschRja+Bc3sbdjlA0eH1OjJc0DD4g"
	  "hn1tnXN5/Wr6qm9xmaHt4A==",
	  "v=BQuhnKHqYDwQWS5jAw4sZed+C9KFUALsbrq81bB0mh+bcUUbbMPNNmBIupnS2Amy"
	  "yDnG5CTBQtkjJ9kyY4kzmw==", "user", "", "", SCRAM_CB_NONE }
};

#endif
