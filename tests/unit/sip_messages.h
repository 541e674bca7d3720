#ifndef ONECRED_SIP_MESSAGES_H
#define ONECRED_SIP_MESSAGES_H

/*
 * Test messages of RFC 4475, by its names; bodies and some header fields that
 * nobody here reads are left out.
 */

/* 3.1.1.1 */
#define WSINV \
	"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n" \
	"TO :\r\n" \
	" sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n" \
	"from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.c" \
	"om>\r\n" \
	"  ;\r\n" \
	"  tag = 98asjd8\r\n" \
	"MaX-fOrWaRdS: 0068\r\n" \
	"Call-ID: wsinv.ndaksdj@192.0.2.1\r\n" \
	"Content-Length   : 150\r\n" \
	"cseq: 0009\r\n" \
	"  INVITE\r\n" \
	"Via  : SIP  /   2.0\r\n" \
	" /UDP\r\n" \
	"    192.0.2.2;branch=390skdjuw\r\n" \
	"s :\r\n" \
	"NewFangledHeader:   newfangled value\r\n" \
	" continued newfangled value\r\n" \
	"UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n" \
	"Content-Type: application/sdp\r\n" \
	"Route:\r\n" \
	" <sip:services.example.com;lr;unknownwith=value;unknown-no-val" \
	"ue>\r\n" \
	"v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n" \
	"  branch  =   z9hG4bK9ikj8  ,\r\n" \
	" SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n" \
	" z9hG4bK30239\r\n" \
	"m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newpa" \
	"ram =\r\n" \
	"      newvalue ;\r\n" \
	"  secondparam ; q = 0.33\r\n" \
	"\r\n" \
	"v=0\r\n"

/* 3.1.1.2 but for NUL */
#define INTMETH \
	"!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~" \
	"(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_t" \
	"oo.(doesn't-it)@example.com SIP/2.0\r\n" \
	"Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~\r\n" \
	"To: \"BEL:\\\007 NUL:\\0 DEL:\\\177\" <sip:1_unusual.URI~(to-b" \
	"e!sure)&isn't+it$/crazy?,/;;*@example.com>\r\n" \
	"From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>" \
	";fromParam''~+*_!.-%=\"\321\200\320\260\320\261\320\276\321" \
	"\202\320\260\321\216\321\211\320\270\320\271\";tag=_token~1'+`" \
	"*%!-.\r\n" \
	"Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\r\n" \
	"CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\r\n" \
	"Max-Forwards: 255\r\n" \
	"extensionHeader-!.%*+_`'~: \321\200\320\260\320\261\320\276" \
	"\321\202\320\260\321\216\321\211\320\270\320\271\r\n" \
	"Content-Length: 0\r\n" \
	"\r\n"

/* 3.1.1.2 */
#define INTMETH_NUL \
	"!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~" \
	"(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_t" \
	"oo.(doesn't-it)@example.com SIP/2.0\r\n" \
	"Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~\r\n" \
	"To: \"BEL:\\\007 NUL:\\\000 DEL:\\\177\" <sip:1_unusual.URI~(t" \
	"o-be!sure)&isn't+it$/crazy?,/;;*@example.com>\r\n" \
	"From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>" \
	";fromParam''~+*_!.-%=\"\321\200\320\260\320\261\320\276\321" \
	"\202\320\260\321\216\321\211\320\270\320\271\";tag=_token~1'+`" \
	"*%!-.\r\n" \
	"Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\r\n" \
	"CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\r\n" \
	"Max-Forwards: 255\r\n" \
	"extensionHeader-!.%*+_`'~: \321\200\320\260\320\261\320\276" \
	"\321\202\320\260\321\216\321\211\320\270\320\271\r\n" \
	"Content-Length: 0\r\n" \
	"\r\n"

/* 3.1.1.3 */
#define ESC01 \
	"INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0\r\n" \
	"To: sip:%75se%72@example.com\r\n" \
	"From: <sip:I%20have%20spaces@example.net>;tag=938\r\n" \
	"Max-Forwards: 87\r\n" \
	"i: esc01.239409asdfakjkn23onasd0-3234\r\n" \
	"CSeq: 234234 INVITE\r\n" \
	"Via: SIP/2.0/UDP host5.example.net;branch=z9hG4bKkdjuw\r\n" \
	"C: application/sdp\r\n" \
	"Contact:\r\n" \
	"  <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%" \
	"31>\r\n" \
	"Content-Length: 5\r\n" \
	"\r\n" \
	"v=0\r\n"

/* 3.1.1.4 */
#define ESCNULL \
	"REGISTER sip:example.com SIP/2.0\r\n" \
	"To: sip:null-%00-null@example.com\r\n" \
	"From: sip:null-%00-null@example.com;tag=839923423\r\n" \
	"Max-Forwards: 70\r\n" \
	"Call-ID: escnull.39203ndfvkjdasfkq3w4otrq0adsfdfnavd\r\n" \
	"CSeq: 14398234 REGISTER\r\n" \
	"Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bKkdjuw\r\n" \
	"Contact: <sip:%00@host5.example.com>\r\n" \
	"Contact: <sip:%00%00@host5.example.com>\r\n" \
	"L:0\r\n" \
	"\r\n"

/* 3.1.1.5 */
#define ESC02 \
	"RE%47IST%45R sip:registrar.example.com SIP/2.0\r\n" \
	"To: \"%Z%45\" <sip:resource@example.com>\r\n" \
	"From: \"%Z%45\" <sip:resource@example.com>;tag=f232jadfj23\r\n" \
	"Call-ID: esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf\r\n" \
	"Via: SIP/2.0/TCP host.example.com;branch=z9hG4bK209%fzsnel234\r\n" \
	"CSeq: 29344 RE%47IST%45R\r\n" \
	"Max-Forwards: 70\r\n" \
	"Contact: <sip:alias1@host1.example.com>\r\n" \
	"C%6Fntact: <sip:alias2@host2.example.com>\r\n" \
	"Contact: <sip:alias3@host3.example.com>\r\n" \
	"l: 0\r\n" \
	"\r\n"

/* 3.1.1.6 */
#define LWSDISP \
	"OPTIONS sip:user@example.com SIP/2.0\r\n" \
	"To: sip:user@example.com\r\n" \
	"From: caller<sip:caller@example.com>;tag=323\r\n" \
	"Max-Forwards: 70\r\n" \
	"Call-ID: lwsdisp.1234abcd@funky.example.com\r\n" \
	"CSeq: 60 OPTIONS\r\n" \
	"Via: SIP/2.0/UDP funky.example.com;branch=z9hG4bKkdjuw\r\n" \
	"l: 0\r\n" \
	"\r\n"

/* 3.1.1.8 */
#define DBLREQ \
	"REGISTER sip:example.com SIP/2.0\r\n" \
	"To: sip:j.user@example.com\r\n" \
	"From: sip:j.user@example.com;tag=43251j3j324\r\n" \
	"Max-Forwards: 8\r\n" \
	"I: dblreq.0ha0isndaksdj99sdfafnl3lk233412\r\n" \
	"Contact: sip:j.user@host.example.com\r\n" \
	"CSeq: 8 REGISTER\r\n" \
	"Via: SIP/2.0/UDP 192.0.2.125;branch=z9hG4bKkdjuw23492\r\n" \
	"Content-Length: 0\r\n" \
	"\r\n" \
	"INVITE sip:joe@example.com SIP/2.0\r\n" \
	"t: sip:joe@example.com\r\n" \
	"From: sip:caller@example.net;tag=141334\r\n" \
	"Call-ID: dblreq.0ha0isnda977644900765@192.0.2.15\r\n" \
	"CSeq: 8 INVITE\r\n" \
	"\r\n"

/* 3.1.1.9 */
#define SEMIURI \
	"OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0\r\n" \
	"To: sip:j_user@example.com\r\n" \
	"From: sip:caller@example.org;tag=33242\r\n" \
	"Max-Forwards: 3\r\n" \
	"Call-ID: semiuri.0ha0isndaksdj\r\n" \
	"CSeq: 8 OPTIONS\r\n" \
	"Accept: application/sdp, application/pkcs7-mime,\r\n" \
	"        multipart/mixed, multipart/signed,\r\n" \
	"        message/sip, message/sipfrag\r\n" \
	"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKkdjuw\r\n" \
	"l: 0\r\n" \
	"\r\n"

/* 3.1.1.11, shortened */
#define MPART01 \
	"MESSAGE sip:kumiko@example.org SIP/2.0\r\n" \
	"Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-d87543;rport\r\n" \
	"Max-Forwards: 70\r\n" \
	"Route: <sip:127.0.0.1:5080>\r\n" \
	"Contact: <sip:fluffy@127.0.0.1:5070>\r\n" \
	"To: <sip:kumiko@example.org>\r\n" \
	"From: <sip:fluffy@example.com>;tag=2fb0dcc9\r\n" \
	"Call-ID: 3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA..\r\n" \
	"CSeq: 1 MESSAGE\r\n" \
	"Content-Transfer-Encoding: binary\r\n" \
	"Content-Type: multipart/mixed;boundary=7a9cbec02ceef655\r\n" \
	"Content-Length: 553\r\n" \
	"\r\n" \
	"--7a9cbec02ceef655\r\n" \
	"0\000\r\000\n" \
	"0\007\r\n" \
	"--7a9cbec02ceef655--\r\n"

/* 3.1.2.1 */
#define BADINV01 \
	"INVITE sip:user@example.com SIP/2.0\r\n" \
	"To: sip:j.user@example.com\r\n" \
	"From: sip:caller@example.net;tag=134161461246\r\n" \
	"Max-Forwards: 7\r\n" \
	"Call-ID: badinv01.0ha0isndaksdjasdf3234nas\r\n" \
	"CSeq: 8 INVITE\r\n" \
	"Via: SIP/2.0/UDP 192.0.2.15;;,;,,\r\n" \
	"Contact: \"Joe\" <sip:joe@example.org>;;;;\r\n" \
	"Content-Length: 152\r\n" \
	"\r\n" \
	"v=0\r\n"

/* 3.1.2.2 */
#define CLERR \
	"INVITE sip:user@example.com SIP/2.0\r\n" \
	"Max-Forwards: 80\r\n" \
	"To: sip:j.user@example.com\r\n" \
	"From: sip:caller@example.net;tag=93942939o2\r\n" \
	"Contact: <sip:caller@hungry.example.net>\r\n" \
	"Call-ID: clerr.0ha0isndaksdjweiafasdk3\r\n" \
	"CSeq: 8 INVITE\r\n" \
	"Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bK-39234-23523\r\n" \
	"Content-Type: application/sdp\r\n" \
	"Content-Length: 9999\r\n" \
	"\r\n" \
	"v=0\r\n"

/* 3.1.2.4 */
#define SCALAR02 \
	"REGISTER sip:example.com SIP/2.0\r\n" \
	"Via: SIP/2.0/TCP host129.example.com;branch=z9hG4bK342sdfoi3\r\n" \
	"To: <sip:user@example.com>\r\n" \
	"From: <sip:user@example.com>;tag=239232jh3\r\n" \
	"CSeq: 36893488147419103232 REGISTER\r\n" \
	"Call-ID: scalar02.23o0pd9vanlq3wnrlnewofjas9ui32\r\n" \
	"Max-Forwards: 300\r\n" \
	"Expires: 10000000000000000000000000000000000000000000000000000\r\n" \
	"Contact: <sip:user@host129.example.com>\r\n" \
	"  ;expires=280297596632815\r\n" \
	"Content-Length: 0\r\n" \
	"\r\n"

/* 3.1.2.6 */
#define QUOTBAL \
	"INVITE sip:user@example.com SIP/2.0\r\n" \
	"To: \"Mr. J. User <sip:j.user@example.com>\r\n" \
	"From: sip:caller@example.net;tag=93334\r\n" \
	"Max-Forwards: 10\r\n" \
	"Call-ID: quotbal.aksdj\r\n" \
	"Contact: <sip:caller@host59.example.net>\r\n" \
	"CSeq: 8 INVITE\r\n" \
	"Via: SIP/2.0/UDP 192.0.2.59:5050;branch=z9hG4bKkdjuw39234\r\n" \
	"Content-Length: 0\r\n" \
	"\r\n"

/* 3.1.2.7 */
#define LTGTRURI \
	"INVITE <sip:user@example.com> SIP/2.0\r\n" \
	"To: sip:user@example.com\r\n" \
	"From: sip:caller@example.net;tag=39291\r\n" \
	"Max-Forwards: 23\r\n" \
	"Call-ID: ltgtruri.1@192.0.2.5\r\n" \
	"CSeq: 1 INVITE\r\n" \
	"Via: SIP/2.0/UDP 192.0.2.5\r\n" \
	"Contact: <sip:caller@host5.example.net>\r\n" \
	"Content-Length: 0\r\n" \
	"\r\n"

/* 3.1.2.8 */
#define LWSRURI \
	"INVITE sip:user@example.com; lr SIP/2.0\r\n" \
	"To: sip:user@example.com;tag=3xfe-9921883-z9f\r\n" \
	"From: sip:caller@example.net;tag=231413434\r\n" \
	"Max-Forwards: 5\r\n" \
	"Call-ID: lwsruri.asdfasdoeoi2323-asdfwrn23-asd834rk423\r\n" \
	"CSeq: 2130706432 INVITE\r\n" \
	"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKkdjuw2395\r\n" \
	"Contact: <sip:caller@host1.example.net>\r\n" \
	"Content-Length: 0\r\n" \
	"\r\n"

/* 3.1.2.9 */
#define LWSSTART \
	"INVITE  sip:user@example.com  SIP/2.0\r\n" \
	"Max-Forwards: 8\r\n" \
	"To: sip:user@example.com\r\n" \
	"From: sip:caller@example.net;tag=8814\r\n" \
	"Call-ID: lwsstart.dfknq234oi243099adsdfnawe3@example.com\r\n" \
	"CSeq: 1893884 INVITE\r\n" \
	"Via: SIP/2.0/UDP host1.example.com;branch=z9hG4bKkdjuw3923\r\n" \
	"Contact: <sip:caller@host1.example.net>\r\n" \
	"Content-Length: 0\r\n" \
	"\r\n"

/* 3.1.2.10 */
#define TRWS \
	"OPTIONS sip:remote-target@example.com SIP/2.0  \r\n" \
	"Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK299342093\r\n" \
	"To: <sip:remote-target@example.com>\r\n" \
	"From: <sip:local-resource@example.com>;tag=329429089\r\n" \
	"Call-ID: trws.oicu34958239neffasdhr2345r\r\n" \
	"Accept: application/sdp\r\n" \
	"CSeq: 238923 OPTIONS\r\n" \
	"Max-Forwards: 70\r\n" \
	"Content-Length: 0\r\n" \
	"\r\n"

/* 3.1.2.11 */
#define ESCRURI \
	"INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2." \
	"0\r\n" \
	"To: sip:user@example.com\r\n" \
	"From: sip:caller@example.net;tag=341518\r\n" \
	"Max-Forwards: 7\r\n" \
	"Contact: <sip:caller@host39923.example.net>\r\n" \
	"Call-ID: escruri.23940-asdfhj-aje3br-234q098w-fawerh2q-h4n5\r\n" \
	"CSeq: 149209342 INVITE\r\n" \
	"Via: SIP/2.0/UDP host-of-the-hour.example.com;branch=z9hG4bKkd" \
	"juw\r\n" \
	"Content-Length: 0\r\n" \
	"\r\n"

/* 3.1.2.13 */
#define REGBADCT \
	"REGISTER sip:example.com SIP/2.0\r\n" \
	"To: sip:user@example.com\r\n" \
	"From: sip:user@example.com;tag=998332\r\n" \
	"Max-Forwards: 70\r\n" \
	"Call-ID: regbadct.k345asrl3fdbv@10.0.0.1\r\n" \
	"CSeq: 1 REGISTER\r\n" \
	"Via: SIP/2.0/UDP 135.180.130.133:5060;branch=z9hG4bKkdjuw\r\n" \
	"Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E\r\n" \
	"l: 0\r\n" \
	"\r\n"

/* 3.1.2.14 */
#define BADASPEC \
	"OPTIONS sip:user@example.org SIP/2.0\r\n" \
	"Via: SIP/2.0/UDP host4.example.com:5060;branch=z9hG4bKkdju4323" \
	"4\r\n" \
	"Max-Forwards: 70\r\n" \
	"From: \"Bell, Alexander\" <sip:a.g.bell@example.com>;tag=43342" \
	"3\r\n" \
	"To: \"Watson, Thomas\" < sip:t.watson@example.org >\r\n" \
	"Call-ID: badaspec.sdf0234n2nds0a099u23h3hnnw009cdkne3\r\n" \
	"Accept: application/sdp\r\n" \
	"CSeq: 3923239 OPTIONS\r\n" \
	"l: 0\r\n" \
	"\r\n"

/* 3.1.2.15 */
#define BADDN \
	"OPTIONS sip:t.watson@example.org SIP/2.0\r\n" \
	"Via:     SIP/2.0/UDP c.example.com:5060;branch=z9hG4bKkdjuw\r\n" \
	"Max-Forwards:      70\r\n" \
	"From:    Bell, Alexander <sip:a.g.bell@example.com>;tag=43\r\n" \
	"To:      Watson <sip:t.watson@example.org>\r\n" \
	"Call-ID: baddn.31415@c.example.com\r\n" \
	"Accept: application/sdp\r\n" \
	"CSeq:    3923239 OPTIONS\r\n" \
	"l: 0\r\n" \
	"\r\n"

/* 3.1.2.16 */
#define BADVERS \
	"OPTIONS sip:t.watson@example.org SIP/7.0\r\n" \
	"Via:     SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw\r\n" \
	"Max-Forwards:     70\r\n" \
	"From:    A. Bell <sip:a.g.bell@example.com>;tag=qweoiqpe\r\n" \
	"To:      T. Watson <sip:t.watson@example.org>\r\n" \
	"Call-ID: badvers.31417@c.example.com\r\n" \
	"CSeq:    1 OPTIONS\r\n" \
	"l: 0\r\n" \
	"\r\n"

/* 3.1.2.17 */
#define MISMATCH01 \
	"OPTIONS sip:user@example.com SIP/2.0\r\n" \
	"To: sip:j.user@example.com\r\n" \
	"From: sip:caller@example.net;tag=34525\r\n" \
	"Max-Forwards: 6\r\n" \
	"Call-ID: mismatch01.dj0234sxdfl3\r\n" \
	"CSeq: 8 INVITE\r\n" \
	"Via: SIP/2.0/UDP host.example.com;branch=z9hG4bKkdjuw\r\n" \
	"l: 0\r\n" \
	"\r\n"

/* 3.1.2.18 */
#define MISMATCH02 \
	"NEWMETHOD sip:user@example.com SIP/2.0\r\n" \
	"To: sip:j.user@example.com\r\n" \
	"From: sip:caller@example.net;tag=34525\r\n" \
	"Max-Forwards: 6\r\n" \
	"Call-ID: mismatch02.dj0234sxdfl3\r\n" \
	"CSeq: 8 INVITE\r\n" \
	"Contact: <sip:caller@host.example.net>\r\n" \
	"Via: SIP/2.0/UDP host.example.net;branch=z9hG4bKkdjuw\r\n" \
	"l: 0\r\n" \
	"\r\n"

/* 3.1.2.19 */
#define BIGCODE \
	"SIP/2.0 4294967301 better not break the receiver\r\n" \
	"Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe\r\n" \
	"Call-ID: bigcode.asdof3uj203asdnf3429uasdhfas3ehjasdfas9i\r\n" \
	"CSeq: 353494 INVITE\r\n" \
	"From: <sip:user@example.com>;tag=39ansfi3\r\n" \
	"To: <sip:user@example.edu>;tag=902jndnke3\r\n" \
	"Content-Length: 0\r\n" \
	"Contact: <sip:user@host105.example.com>\r\n" \
	"\r\n"

/* 3.3.1 */
#define INSUF \
	"INVITE sip:user@example.com SIP/2.0\r\n" \
	"CSeq: 193942 INVITE\r\n" \
	"Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf\r\n" \
	"Content-Type: application/sdp\r\n" \
	"l: 152\r\n" \
	"\r\n" \
	"v=0\r\n"

/* 3.3.2 */
#define UNKSCM \
	"OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0\r\n" \
	"To: sip:user@example.com\r\n" \
	"From: sip:caller@example.net;tag=384\r\n" \
	"Max-Forwards: 3\r\n" \
	"Call-ID: unkscm.nasdfasser0q239nwsdfasdkl34\r\n" \
	"CSeq: 3923423 OPTIONS\r\n" \
	"Via: SIP/2.0/TCP host9.example.com;branch=z9hG4bKkdjuw39234\r\n" \
	"Content-Length: 0\r\n" \
	"\r\n"

/* 3.3.3 */
#define NOVELSC \
	"OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0\r\n" \
	"To: sip:user@example.com\r\n" \
	"From: sip:caller@example.net;tag=384\r\n" \
	"Max-Forwards: 3\r\n" \
	"Call-ID: novelsc.asdfasser0q239nwsdfasdkl34\r\n" \
	"CSeq: 3923423 OPTIONS\r\n" \
	"Via: SIP/2.0/TCP host9.example.com;branch=z9hG4bKkdjuw39234\r\n" \
	"Content-Length: 0\r\n" \
	"\r\n"

/* 3.3.4 */
#define UNKSM2 \
	"REGISTER sip:example.com SIP/2.0\r\n" \
	"To: isbn:2983792873\r\n" \
	"From: <http://www.example.com>;tag=3234233\r\n" \
	"Call-ID: unksm2.daksdj@hyphenated-host.example.com\r\n" \
	"CSeq: 234902 REGISTER\r\n" \
	"Max-Forwards: 70\r\n" \
	"Via: SIP/2.0/UDP 192.0.2.21:5060;branch=z9hG4bKkdjuw\r\n" \
	"Contact: <name:John_Smith>\r\n" \
	"l: 0\r\n" \
	"\r\n"

/* 3.3.7 */
#define REGAUT01 \
	"REGISTER sip:example.com SIP/2.0\r\n" \
	"To: sip:j.user@example.com\r\n" \
	"From: sip:j.user@example.com;tag=87321hj23128\r\n" \
	"Max-Forwards: 8\r\n" \
	"Call-ID: regaut01.0ha0isndaksdj\r\n" \
	"CSeq: 9338 REGISTER\r\n" \
	"Via: SIP/2.0/TCP 192.0.2.253;branch=z9hG4bKkdjuw\r\n" \
	"Authorization: NoOneKnowsThisScheme opaque-data=here\r\n" \
	"Content-Length:0\r\n" \
	"\r\n"

/* 3.3.8 */
#define MULTI01 \
	"INVITE sip:user@company.com SIP/2.0\r\n" \
	"Contact: <sip:caller@host25.example.net>\r\n" \
	"Via: SIP/2.0/UDP 192.0.2.25;branch=z9hG4bKkdjuw\r\n" \
	"Max-Forwards: 70\r\n" \
	"CSeq: 5 INVITE\r\n" \
	"Call-ID: multi01.98asdh@192.0.2.1\r\n" \
	"CSeq: 59 INVITE\r\n" \
	"Call-ID: multi01.98asdh@192.0.2.2\r\n" \
	"From: sip:caller@example.com;tag=3413415\r\n" \
	"To: sip:user@example.com\r\n" \
	"To: sip:other@example.net\r\n" \
	"From: sip:caller@example.net;tag=2923420123\r\n" \
	"Content-Type: application/sdp\r\n" \
	"l: 154\r\n" \
	"Contact: <sip:caller@host36.example.net>\r\n" \
	"Max-Forwards: 5\r\n" \
	"\r\n"

/* 3.4.1 */
#define INV2543 \
	"INVITE sip:UserB@example.com SIP/2.0\r\n" \
	"Via: SIP/2.0/UDP iftgw.example.com\r\n" \
	"From: <sip:+13035551111@ift.client.example.net;user=phone>\r\n" \
	"Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>\r\n" \
	"To: sip:+16505552222@ss1.example.net;user=phone\r\n" \
	"Call-ID: inv2543.1717@ift.client.example.com\r\n" \
	"CSeq: 56 INVITE\r\n" \
	"Content-Type: application/sdp\r\n" \
	"\r\n" \
	"v=0\r\n"

#endif
