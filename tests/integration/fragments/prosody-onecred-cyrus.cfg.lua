-- Prosody by Cyrus SASL with SCRAM: the plugin (onecred-sasl(8)) as libsasl2's
-- auxprop_plugin, [saslauthd] for PLAIN, and our module in the place of
-- mod_auth_cyrus, which sends 22 kB of Prosody's memory behind a SCRAM login.
-- Goes with prosody-sasl-scram.conf as /etc/sasl/prosody.conf. Every login
-- blocks all of Prosody: prosody-onecred.cfg.lua does not.

plugin_paths = { "/usr/local/lib/prosody/modules" }

VirtualHost "example.com"
	authentication = "onecred_cyrus"
	c2s_require_encryption = true
