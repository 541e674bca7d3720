-- Prosody asks onecredd: SCRAM-SHA-1 and -SHA-256, both with -PLUS, and PLAIN
-- over POST /v1/sasl, accounts over /v1/account (onecred-http(5)). Verifiers
-- stay in the daemon; a slow database delays the logins that need it and
-- nobody else. Runs on Prosody 0.12; written for 13 too.
--
--	authentication = "onecred"
--	onecred_url = "unix:/run/onecred/http.sock"	-- or http://127.0.0.1:9118
--	onecred_token_file = "/etc/prosody/onecred.token"
--	onecred_timeout = 5			-- seconds for one answer
--	onecred_set_password = false		-- users change theirs
--	onecred_register = false		-- accounts are made and deleted

local cache = require "util.cache";
local nodeprep = require "util.encodings".stringprep.nodeprep;
local base64 = require "util.encodings".base64;
local st = require "util.stanza";
local urlencode = require "util.http".urlencode;
local usermanager = require "core.usermanager";

local client = module:require "client";
local sasl = module:require "sasl";

local host = module.host;
local may_set = module:get_option_boolean("onecred_set_password", false);
local may_register = module:get_option_boolean("onecred_register", false);

local ABSENT_MAX = 1000;
local AWAY = "The account service does not answer, please try again later.";
local NOT_HERE = "This cannot be changed here.";

-- Names that had no account when last asked. Everybody else is taken to exist
-- while nobody knows: a "no" would drop rosters and bounce messages.
local absent = cache.new(ABSENT_MAX);
local refreshing = {};

local provider = {};

local function path_of(username)
	return "/v1/account/"..urlencode(username).."@"..host;
end

local function learn(username, status)
	if status == 200 then
		absent:set(username, nil);
	elseif status == 404 then
		absent:set(username, true);
	end
end

-- For the next one who asks from where nobody can wait.
local function refresh(username)
	if refreshing[username] then return; end
	refreshing[username] = true;
	client.ask_later("HEAD", path_of(username), nil, function (status)
		refreshing[username] = nil;
		learn(username, status);
	end);
end

function provider.user_exists(username)
	if client.can_wait() then
		learn(username, (client.ask("HEAD", path_of(username))));
	else
		refresh(username);
	end
	if absent:get(username) then
		return nil, "there is no such account";
	end
	return true;
end

-- Prosody 13. HEAD says no to who may not log in.
provider.is_enabled = provider.user_exists;

local function ask_sasl(request)
	if not client.can_wait() then
		module:log("error", "A login came from outside of a thread, and cannot wait for its answer");
		return 0, {};
	end
	return client.ask("POST", "/v1/sasl", request);
end

function provider.test_password(username, password)
	local status, answer = ask_sasl({
		mechanism = "PLAIN";
		domain = host;
		data = base64.encode("\0"..username.."\0"..password);
	});
	if status == 200 and answer.verdict == "allow" then
		return true;
	end
	return nil, status == 0 and AWAY or "Not authorized.";
end

-- True, or nil and a sentence for the user.
local function change(method, username, body, allowed)
	if not allowed then
		return nil, NOT_HERE;
	elseif not client.can_wait() then
		return nil, AWAY;
	end
	local status, answer = client.ask(method, path_of(username), body);
	if status == 200 or status == 201 or (method == "DELETE" and status == 404) then
		absent:set(username, method == "DELETE" or nil);
		return true;
	elseif status == 0 then
		return nil, AWAY;
	end
	return nil, type(answer.error) == "string" and answer.error or NOT_HERE;
end

function provider.set_password(username, password)
	return change("PUT", username, { password = password; change = "set" }, may_set);
end

-- Says that the account must be new: this must never take one over.
function provider.create_user(username, password)
	if not password then
		return nil, "An account needs a password.";
	end
	return change("PUT", username, { password = password; change = "create" }, may_register);
end

function provider.delete_user(username)
	return change("DELETE", username, nil, may_register);
end

function provider.get_password()
	return nil, "Passwords are not kept anywhere.";
end

-- A profile belongs to one connection: mod_saslauth puts the connection's
-- channel bindings into it. Its entries name mechanisms; they are never
-- called, because the handler has a process() of its own.
function provider.get_sasl_handler(session)
	local function refuse() return nil; end

	return sasl.new(host, {
		plain_test = refuse;
		scram_sha_1 = refuse;
		scram_sha_256 = refuse;
	}, ask_sasl, session and session.ip);
end

module:provides("auth", provider);

function module.unload()
	client.close();
end

-- XEP-0077 3.3. Prosody's own answer to a refused password is an
-- internal-server-error without a word; who chose it should read why.
local function change_in_band(event)
	local session, stanza = event.origin, event.stanza;
	local query = stanza.tags[1];

	if stanza.attr.type ~= "set" or query:get_child("remove") then
		return;
	end
	local username = query:get_child_text("username");
	local password = query:get_child_text("password");
	if not username or not password or nodeprep(username) ~= session.username then
		return;
	end
	local ok, why = usermanager.set_password(session.username, password, host, session.resource);
	if ok then
		session.send(st.reply(stanza));
	elseif why == NOT_HERE then
		session.send(st.error_reply(stanza, "cancel", "not-allowed", why));
	elseif why == AWAY then
		session.send(st.error_reply(stanza, "wait", "internal-server-error", why));
	else
		session.send(st.error_reply(stanza, "modify", "not-acceptable", why));
	end
	return true;
end

local function when_offered(event)
	local session, to = event.origin, event.stanza.attr.to;
	local modules = prosody.hosts[host].modules;

	if session.type ~= "c2s" or not (modules.user_account_management or modules.register) then
		return;
	end
	-- To oneself, or to one's own server.
	if to and to ~= host and to ~= session.username.."@"..host then
		return;
	end
	return change_in_band(event);
end

module:hook("iq/self/jabber:iq:register:query", when_offered, 10);
module:hook("iq/host/jabber:iq:register:query", when_offered, 10);
