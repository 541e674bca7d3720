-- Prosody (0.12, Debian 12: prosody-modules) asks onecredd, section
-- [dovecot prosody]: a file in /etc/prosody/conf.d. The user prosody must be
-- in the group of the socket: adduser prosody onecred-client, then restart
-- prosody. The protocol carries no domain: one socket for each VirtualHost.
--
-- NB: start onecredd first and let the service manager hold the socket
-- (onecredd-dovecot@prosody.socket): the module asks for the mechanisms once,
-- and if the socket is gone when it connects again, it needs a restart.

VirtualHost "example.com"
	authentication = "dovecot"
	dovecot_auth_socket = "/run/onecred/dovecot-prosody.sock"
	c2s_require_encryption = true
	-- LOGIN says nothing that PLAIN does not.
	disable_sasl_mechanisms = { "DIGEST-MD5"; "LOGIN" }
