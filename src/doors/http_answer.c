/*
 * Answers of the HTTP door: status, type and body. An error says in a
 * sentence what is wrong with the request; it never repeats any of it.
 */

#include "doors/http_answer.h"

#include <string.h>

#include "doors/http_json.h"
#include "doors/http_request.h"

#define JSON_TYPE	"application/json"
#define PATIENCE	1	/* seconds */

void
http_answer_status(struct http_answer *answer, unsigned int status)
{
	http_answer_clear(answer);
	answer->status = status;
}

void
http_answer_json(struct http_answer *answer, unsigned int status,
    json_t *json)
{
	http_answer_status(answer, status);
	answer->type = JSON_TYPE;
	answer->text = http_json_text(json, &answer->n);
	if (answer->text == NULL)
		http_answer_status(answer, 500);
}

void
http_answer_error(struct http_answer *answer, unsigned int status,
    const char *sentence)
{
	http_answer_json(answer, status, json_pack("{s:s}", "error",
	    sentence));
	/* Without memory, the status is still right. */
	answer->status = status;
}

void
http_answer_text(struct http_answer *answer, unsigned int status,
    const char *type, struct span text)
{
	http_answer_status(answer, status);
	answer->type = type;
	answer->text = http_json_alloc(text.n);
	if (answer->text == NULL) {
		http_answer_status(answer, 500);
		return;
	}
	memcpy(answer->text, text.p, text.n);
	answer->n = text.n;
}

void
http_answer_clear(struct http_answer *answer)
{
	http_json_free(answer->text);
	*answer = (struct http_answer){ 0 };
}

void
http_answer_allow(unsigned int methods, struct wbuf *out)
{
	static const struct {
		enum http_method	 method;
		const char		*word;
	} words[] = {
		{ HTTP_GET, "GET" }, { HTTP_HEAD, "HEAD" },
		{ HTTP_POST, "POST" }, { HTTP_PUT, "PUT" },
		{ HTTP_DELETE, "DELETE" }
	};
	const char *between = "";

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if ((methods & words[i].method) == 0)
			continue;
		wbuf_str(out, between);
		wbuf_str(out, words[i].word);
		between = ", ";
	}
}

unsigned int
http_answer_patience(unsigned int advised)
{
	return advised != 0 ? advised : PATIENCE;
}

void
http_counts_add(struct http_counts *counts, unsigned int status)
{
	size_t i = 0;

	while (i < HTTP_STATUSES - 1 && counts->status[i] != status &&
	    counts->status[i] != 0)
		i++;
	counts->status[i] = status;
	counts->count[i]++;
}

void
http_counts_write(const struct http_counts *counts, struct wbuf *out)
{
	wbuf_str(out, "# HELP onecred_http_answers_total Answers of the HTTP "
	    "door.\n# TYPE onecred_http_answers_total counter\n");
	for (size_t i = 0; i < HTTP_STATUSES; i++) {
		if (counts->status[i] == 0)
			continue;
		wbuf_str(out, "onecred_http_answers_total{status=\"");
		wbuf_dec(out, counts->status[i]);
		wbuf_str(out, "\"} ");
		wbuf_dec(out, counts->count[i]);
		wbuf_u8(out, '\n');
	}
	wbuf_str(out, "# HELP onecred_http_refused_tokens_total Requests "
	    "without a token of a client.\n"
	    "# TYPE onecred_http_refused_tokens_total counter\n"
	    "onecred_http_refused_tokens_total ");
	wbuf_dec(out, counts->refused);
	wbuf_u8(out, '\n');
}
