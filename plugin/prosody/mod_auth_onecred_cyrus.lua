-- Prosody asks libsasl2, and that asks onecred (plugin, saslauthd door): what
-- mod_auth_cyrus of prosody-modules does, with SCRAM done right. Package
-- lua-cyrussasl; it takes the place of authentication = "cyrus" and reads the
-- same options. Every question blocks all of Prosody: mod_auth_onecred does
-- not, and is the one to take.
--
-- What is different here:
-- * A finished SCRAM exchange is a success that carries the server's proof.
--   lua-cyrussasl hands it out as a challenge, and when it is asked once more
--   returns memory of the process, which mod_auth_cyrus sends to the client.
--   So it is never asked again, and what comes with a success is never sent.
-- * Conditions are those of RFC 6120; unknown, disabled and wrong look alike,
--   and an outage is temporary-auth-failure.
-- * ANONYMOUS is never offered, whatever mech_list says.

local log = module._log;

local application = module:get_option_string("cyrus_application_name", "prosody");
local service = module:get_option_string("cyrus_service_name", "xmpp");
local realm = module:get_option_string("cyrus_service_realm", module.host);
local fqdn = module:get_option_string("cyrus_server_fqdn");

-- The C module makes a global of its name.
prosody.unlock_globals();
local cyrussasl = require "cyrussasl";
prosody.lock_globals();

-- libsasl2 is started once in a process, whatever the number of hosts.
local process = module:shared("/*/auth_onecred_cyrus/process");
if not process.started then
	cyrussasl.server_init(application);
	process.started = true;
end

local OK, CONTINUE = 0, 1;

-- sasl.h; what is not here says nothing about the password.
local conditions = {
	[-4] = "invalid-mechanism";		-- SASL_NOMECH
	[-5] = "malformed-request";		-- SASL_BADPROT
	[-7] = "malformed-request";		-- SASL_BADPARAM
	[-13] = "not-authorized";		-- SASL_BADAUTH
	[-14] = "invalid-authzid";		-- SASL_NOAUTHZ
	[-15] = "mechanism-too-weak";		-- SASL_TOOWEAK
	[-16] = "encryption-required";		-- SASL_ENCRYPT
	[-18] = "credentials-expired";		-- SASL_EXPIRED
	[-19] = "not-authorized";		-- SASL_DISABLED
	[-20] = "not-authorized";		-- SASL_NOUSER
	[-26] = "not-authorized";		-- SASL_NOVERIFY
};

local function node_of(name)
	return name:match("^([^@]+)");
end

local function new_connection()
	local connection = cyrussasl.server_new(service, fqdn, realm, nil, nil);
	cyrussasl.set_canon_cb(connection, node_of);
	-- No security layer: TLS is there.
	cyrussasl.setssf(connection, 0, 0xffffffff);
	return connection;
end

local handler = {};
local handler_mt = { __index = handler };

local function new_handler()
	local connection = new_connection();
	local self = { connection = connection, mechs = {} };
	for name in cyrussasl.listmech(connection, nil, "", " ", ""):gmatch("%S+") do
		if name ~= "ANONYMOUS" then self.mechs[name] = true; end
	end
	return setmetatable(self, handler_mt);
end

handler.clean_clone = new_handler;

function handler:mechanisms()
	return self.mechs;
end

function handler:select(mechanism)
	if self.selected or not self.mechs[mechanism] then return nil; end
	self.selected = mechanism;
	return true;
end

function handler:process(message)
	if self.proved then
		-- The empty answer to DIGEST-MD5's last word.
		return "success";
	end
	local code, data;
	if self.started then
		code, data = cyrussasl.server_step(self.connection, message or "");
	else
		self.started = true;
		code, data = cyrussasl.server_start(self.connection, self.selected, message or "");
	end
	if code ~= OK and code ~= CONTINUE then
		log("debug", "libsasl2 refuses with %d", code);
		return "failure", conditions[code] or "temporary-auth-failure";
	end
	local name = cyrussasl.get_username(self.connection);
	self.username = name and node_of(name);
	if code == OK then
		return "success";
	end
	-- NB: these words are said by a server that has seen the proof and by no
	-- other; a first message of SCRAM starts with the nonce.
	if self.username and data then
		if self.selected:sub(1, 6) == "SCRAM-" and data:sub(1, 2) == "v=" then
			return "success", data;
		elseif self.selected == "DIGEST-MD5" and data:sub(1, 8) == "rspauth=" then
			self.proved = true;
		end
	end
	return "challenge", data;
end

local provider = {};

function provider.get_sasl_handler()
	return new_handler();
end

-- libsasl2 cannot be asked: a "no" would drop rosters and bounce messages.
function provider.user_exists()
	return true;
end

provider.is_enabled = provider.user_exists;

local function not_here()
	return nil, "This cannot be done by way of Cyrus SASL.";
end

provider.test_password = not_here;
provider.get_password = not_here;
provider.set_password = not_here;
provider.create_user = not_here;
provider.delete_user = not_here;

module:provides("auth", provider);
