-- Hands account and policy to onecred hash, and makes the table for its
-- output: one column that takes any line whole, so that PostgreSQL has no
-- reason to print one in an error.
--
-- Wants: user, exists (the account must or must not be there), service;
-- password_file and seal_key_file if there are any.

SELECT account, realms, iterations, algorithms, digests, rule, non_ascii
FROM onecred.account_policy(:'user', :'exists') \gset onecred_

\setenv ONECRED_USER :onecred_account
\setenv ONECRED_REALMS :onecred_realms
\setenv ONECRED_ITERATIONS :onecred_iterations
\setenv ONECRED_ALGORITHMS :onecred_algorithms
\setenv ONECRED_DIGESTS :onecred_digests
\setenv ONECRED_RULE :onecred_rule
\setenv ONECRED_NON_ASCII :onecred_non_ascii
\setenv ONECRED_SERVICE :service
\setenv ONECRED_PASSWORD_FILE
\setenv ONECRED_SEAL_KEY_FILE
\if :{?password_file}
\setenv ONECRED_PASSWORD_FILE :password_file
\endif
\if :{?seal_key_file}
\setenv ONECRED_SEAL_KEY_FILE :seal_key_file
\endif

CREATE TEMPORARY TABLE onecred_new (line text) ON COMMIT DROP;
