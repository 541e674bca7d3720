-- Prosody (0.12, Debian 12: prosody-modules and lua-cyrussasl) asks onecredd:
-- a file in /etc/prosody/conf.d, together with prosody-sasl.conf as
-- /etc/sasl/prosody.conf. The user prosody must be in the group of the socket:
-- adduser prosody onecred-client, then restart prosody.
--
-- Clients are offered PLAIN only, over TLS. mod_auth_cyrus would do SCRAM too,
-- but lua-cyrussasl 1.1.0 then sends 22 kB of Prosody's memory to the client;
-- mech_list in prosody-sasl.conf keeps it from that.

VirtualHost "example.com"
	authentication = "cyrus"
	c2s_require_encryption = true
	-- NB: never cyrus_require_provisioning = true: it loops for ever.
