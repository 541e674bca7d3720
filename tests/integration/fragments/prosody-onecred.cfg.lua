-- Prosody (0.12) with onecred's own module: a file in /etc/prosody/conf.d.
-- SCRAM-SHA-1, SCRAM-SHA-256, both with -PLUS, and PLAIN, without blocking.
-- onecred.conf has [http] and an [http-client prosody] with the token of this
-- file and no more rights than are used here:
--
--     sasl exists                 what is below
--     set                         onecred_set_password
--     create delete               onecred_register

plugin_paths = { "/usr/local/lib/prosody/modules" }

VirtualHost "example.com"
	authentication = "onecred"
	onecred_url = "unix:/run/onecred/http.sock"
	onecred_token_file = "/etc/prosody/onecred.token"
	-- Users may change their password (module user_account_management):
	-- onecred_set_password = true
	-- Accounts may be made and deleted (module register_ibr, prosodyctl):
	-- onecred_register = true
	c2s_require_encryption = true
