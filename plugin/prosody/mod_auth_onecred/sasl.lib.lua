-- The SASL handler: Prosody's own (util.sasl), with every message passed on to
-- onecredd and every answer taken from there. It knows no verifier, so it can
-- lose none; mechanisms, channel bindings and user data are as Prosody and
-- other modules (mod_sasl2, mod_sasl2_fast) expect them.
--
-- NB: "nobody knows" is temporary-auth-failure and never not-authorized, which
-- makes clients ask for the password again or forget it.

local base64 = require "util.encodings".base64;
local new_sasl = require "util.sasl".new;

local MESSAGE_MAX = 4096; -- octets that onecredd takes

-- What a refusal is called in RFC 6120 6.5; everything else is
-- not-authorized, so that unknown, disabled and wrong look alike.
local conditions = {
	["malformed"] = "malformed-request";
	["identity"] = "invalid-authzid";
	-- Nobody has said that the password is wrong:
	["stale"] = "temporary-auth-failure";
	["throttled"] = "temporary-auth-failure";
};

-- Adds the connection's channel binding to request. A type says that -PLUS is
-- offered here, even to a client that does not use it. False: the client wants
-- one that this connection has not.
local function add_binding(handler, request, message)
	local offered = handler.profile.cb or {};
	local plus = handler.selected:sub(-5) == "-PLUS";
	if not handler.onecred_state then
		handler.onecred_binding = message:match("^p=([^,]*),");
	end
	local named = handler.onecred_binding;
	if (named and not offered[named]) or (plus and not named) then
		return false;
	end
	request.cb_type = named or next(offered);
	if named and handler.onecred_state then
		local data = offered[named](handler);
		request.cb_data = data and base64.encode(data);
	end
	return true;
end

local function take_answer(handler, status, answer)
	local user, host;

	if status ~= 200 then
		return "failure", "temporary-auth-failure";
	elseif answer.verdict == "continue" then
		handler.onecred_state = answer.state;
		return "challenge", base64.decode(answer.data or "") or "";
	elseif answer.verdict == "deny" then
		return "failure", conditions[answer.reason] or "not-authorized";
	elseif answer.verdict ~= "allow" or type(answer.user) ~= "string" then
		return "failure", "temporary-auth-failure";
	end
	user, host = answer.user:match("^(.+)@([^@]+)$");
	if host ~= handler.realm then
		return "failure", "not-authorized";
	end
	handler.username = user;
	return "success", answer.data and base64.decode(answer.data) or nil;
end

-- ask(body): one question to /v1/sasl from a thread -> status, answer, or nil
-- where nobody can wait for it.
local function new_handler(realm, profile, ask, source)
	local handler = new_sasl(realm, profile);

	function handler:process(message)
		local request = {
			mechanism = self.selected;
			domain = self.realm;
			data = message and base64.encode(message);
			state = self.onecred_state;
			source = source;
		};

		if message and #message > MESSAGE_MAX then
			return "failure", "malformed-request";
		end
		if self.selected:sub(1, 6) == "SCRAM-" and not add_binding(self, request, message or "") then
			return "failure", "malformed-request";
		end
		local status, answer = ask(request);
		return take_answer(self, status, answer);
	end

	-- For another try on the same connection, which keeps its bindings.
	function handler:clean_clone()
		local clone = new_handler(self.realm, self.profile, ask, source);
		clone.userdata = self.userdata;
		return clone;
	end

	return handler;
end

return {
	new = new_handler;
};
