#include "fetchd/transfer.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdio.h>

static atomic_bool is_ending;

enum { CONNECT_S = 20, TEXT_MAX = 2048 };

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = arg;

	buf_add(&transfer->body, (struct str){bytes, size * count});
	return buf_ok(&transfer->body) ? size * count : 0; /* else it is over */
}

/* libcurl asks once a second at least. */
static int on_progress(void *arg, curl_off_t to_get, curl_off_t got, curl_off_t to_put,
		       curl_off_t put)
{
	(void)arg, (void)to_get, (void)got, (void)to_put, (void)put;
	return atomic_load(&is_ending);
}

void transfer_stop_all(void)
{
	atomic_store(&is_ending, true);
}

/* "HOST:PORT:ADDRESS,ADDRESS": libcurl asks nobody then. */
static bool resolve_text(const struct fetch_request *request, char text[TEXT_MAX])
{
	SCOPED(buf_fini) struct buf line = BUF(TEXT_MAX);

	buf_printf(&line, "%.*s:%u:", STR_FMT(request->host), request->port);
	for (size_t i = 0; i < request->address_count; i++) {
		bool is_v6 = str_find_byte(request->addresses[i], ':') <
			     request->addresses[i].len;

		buf_printf(&line, "%s%s%.*s%s", i > 0 ? "," : "", is_v6 ? "[" : "",
			   STR_FMT(request->addresses[i]), is_v6 ? "]" : "");
	}
	return buf_ok(&line) && str_to_c(buf_str(&line), text, TEXT_MAX);
}

static bool set_text(CURL *curl, CURLoption option, struct str text)
{
	char room[TEXT_MAX];

	return str_to_c(text, room, sizeof room) &&
	       curl_easy_setopt(curl, option, room) == CURLE_OK;
}

static bool set_number(CURL *curl, CURLoption option, long number)
{
	return curl_easy_setopt(curl, option, number) == CURLE_OK;
}

/* RFC 8461 §3.3: the certificate is verified, redirects MUST NOT be followed. */
static bool set_up(CURL *curl, struct transfer *transfer)
{
	struct curl_blob roots = {.data = (void *)(uintptr_t)transfer->roots_pem.ptr,
				  .len = transfer->roots_pem.len,
				  .flags = CURL_BLOB_NOCOPY};

	return set_text(curl, CURLOPT_URL, transfer->request->url) &&
	       set_text(curl, CURLOPT_PROTOCOLS_STR, STR("https")) &&
	       set_text(curl, CURLOPT_PROXY, STR("")) &&
	       set_text(curl, CURLOPT_USERAGENT, STR("Postrider")) &&
	       set_number(curl, CURLOPT_FOLLOWLOCATION, 0) &&
	       set_number(curl, CURLOPT_NOSIGNAL, 1) &&
	       set_number(curl, CURLOPT_NOPROGRESS, 0) &&
	       curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress) ==
		       CURLE_OK &&
	       set_number(curl, CURLOPT_SSL_VERIFYPEER, 1) &&
	       set_number(curl, CURLOPT_SSL_VERIFYHOST, 2) &&
	       set_number(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) &&
	       set_number(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S) &&
	       set_number(curl, CURLOPT_TIMEOUT, (long)transfer->request->timeout_s) &&
	       curl_easy_setopt(curl, CURLOPT_CAINFO, NULL) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &roots) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer) == CURLE_OK;
}

static struct curl_slist *set_post(CURL *curl, const struct fetch_request *request)
{
	char line[TEXT_MAX];

	(void)snprintf(line, sizeof line, "Content-Type: %.*s",
		       STR_FMT(request->media_type));
	struct curl_slist *fields = curl_slist_append(NULL, line);

	if (fields && set_number(curl, CURLOPT_POST, 1) &&
	    set_number(curl, CURLOPT_POSTFIELDSIZE, (long)request->body.len) &&
	    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.ptr) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields) == CURLE_OK)
		return fields;
	curl_slist_free_all(fields);
	return NULL;
}

static enum fetch_outcome outcome_of(CURLcode code, const struct transfer *transfer)
{
	if (!buf_ok(&transfer->body))
		return FETCH_TOO_BIG;
	switch ((int)code) { /* a few of libcurl's many */
	case CURLE_OK:
		return FETCH_OK;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_ISSUER_ERROR:
		return FETCH_UNTRUSTED;
	case CURLE_OPERATION_TIMEDOUT:
		return FETCH_TIMED_OUT;
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
		return FETCH_UNREACHABLE;
	default: /* a number of libcurl's */
		return FETCH_BROKEN;
	}
}

static void take_media_type(CURL *curl, struct transfer *transfer)
{
	char *text = NULL;

	(void)curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &text); /* NULL then */
	struct str all = str_c(text);
	struct str word = str_trim(str_cut(&all, ';'));

	if (!str_to_c(word, transfer->media_type, sizeof transfer->media_type))
		return;
	for (size_t i = 0; i < word.len; i++)
		transfer->media_type[i] = ascii_lower(transfer->media_type[i]);
	transfer->reply.media_type = str_c(transfer->media_type);
}

static void perform(CURL *curl, struct transfer *transfer)
{
	char detail[CURL_ERROR_SIZE] = "";
	long status = 0;

	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail); /* words only */
	CURLcode code = curl_easy_perform(curl);

	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
	transfer->reply.outcome = outcome_of(code, transfer);
	if (code == CURLE_OK) {
		(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
		transfer->reply.status = (uint16_t)status;
		transfer->reply.body = buf_str(&transfer->body);
		take_media_type(curl, transfer);
		return;
	}
	(void)snprintf(transfer->why, sizeof transfer->why, "%s",
		       transfer->reply.outcome == FETCH_TOO_BIG ? "the answer is too big"
		       : detail[0]                              ? detail
				   : curl_easy_strerror(code));
	transfer->reply.why = str_c(transfer->why);
}

void transfer_run(void *arg)
{
	struct transfer *transfer = arg;
	CURL *curl = curl_easy_init();
	struct curl_slist *addresses = NULL, *fields = NULL;
	char text[TEXT_MAX];

	transfer->reply = (struct fetch_reply){.outcome = FETCH_BROKEN,
					       .why = STR("libcurl cannot be set up")};
	if (resolve_text(transfer->request, text))
		addresses = curl_slist_append(NULL, text);
	bool is_ready = curl && addresses && set_up(curl, transfer) &&
			curl_easy_setopt(curl, CURLOPT_RESOLVE, addresses) == CURLE_OK;

	if (is_ready && transfer->request->is_post) {
		fields = set_post(curl, transfer->request);
		is_ready = fields != NULL;
	}
	if (is_ready) {
		transfer->reply.why = STR("");
		perform(curl, transfer);
	}
	curl_easy_cleanup(curl);
	curl_slist_free_all(addresses);
	curl_slist_free_all(fields);
}
