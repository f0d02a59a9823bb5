#include "mta/scram_login.h"

#include "base/base64.h"
#include "base/test.h"

/* RFC 7677 §3. */
TEST(the_proof_is_that_of_the_rfc)
{
	struct str message =
		STR("n=user,r=rOprNGfwEbeRWgbNEkqO,"
		    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
		    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
		    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
	SCOPED(buf_fini) struct buf salt = BUF(64), proof = BUF(64), signature = BUF(64);
	struct scram_proof made;

	CHECK(base64_decode(STR("W22ZaJ0SNY7soEsUEjb6gQ=="), &salt));
	CHECK(scram_prove(STR("pencil"), buf_str(&salt), 4096, message, &made));
	base64_add(&proof, (struct str){(const char *)made.proof, sizeof made.proof});
	base64_add(&signature,
		   (struct str){(const char *)made.signature, sizeof made.signature});
	CHECK_STR(buf_str(&proof), STR("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
	CHECK_STR(buf_str(&signature),
		  STR("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
}
