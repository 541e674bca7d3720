-- Questions to onecredd over HTTP (onecred-http(5)) that never block Prosody:
-- whoever asks from a session's own thread is put to sleep until the answer or
-- the deadline is there, and everybody else goes on.
--
-- NB: an answer that nobody gave (timeout, refused connection, HTTP 5xx) is
-- status 0 and must never be taken for "no".

local async = require "util.async";
local json = require "util.json";
local now = require "util.time".now;
local timer = require "util.timer";

local pools = module:require "pool";

local url = module:get_option_string("onecred_url", "unix:/run/onecred/http.sock");
local token_file = module:get_option_string("onecred_token_file", "/etc/prosody/onecred.token");
local deadline = module:get_option_number("onecred_timeout", 5);

local pool = assert(pools.new(url), "onecred_url must be unix:/PATH or http://ADDRESS:PORT");
local client = {};
local token;
local away = false; -- what the log knows

local function read_token()
	local file, why = io.open(token_file);
	if not file then
		module:log("error", "onecred_token_file: %s", why);
		return nil;
	end
	local line = file:read("*l") or "";
	file:close();
	line = line:match("^%s*([\33-\126]+)%s*$");
	if not line then
		module:log("error", "onecred_token_file: %s must hold one token", token_file);
	end
	return line;
end

-- One line when it goes away, one when it is back: not one for each login.
local function note(is_away, why)
	if is_away and not away then
		module:log("warn", "onecredd does not answer (%s): logins get temporary-auth-failure", why);
	elseif away and not is_away then
		module:log("info", "onecredd answers again");
	end
	away = is_away;
end

-- Refusals that are about our request, not about the account. They are no
-- outage, but nobody is to be turned away for them either.
local our_fault = {
	[400] = true; [401] = true; [403] = true; [405] = true; [411] = true;
	[413] = true; [414] = true; [415] = true; [431] = true; [501] = true;
};

-- Both ways the common case is a flat object of strings without anything to
-- escape, for which util.json takes ten times as long: it is a tenth of all
-- that Prosody does for a login.
local function encode(object)
	local parts = {};
	for key, value in pairs(object) do
		if type(value) ~= "string" or value:find("[^\32\33\35-\91\93-\126]") then
			return json.encode(object);
		end
		parts[#parts + 1] = '"'..key..'":"'..value..'"';
	end
	return "{"..table.concat(parts, ",").."}";
end

local function decode(content)
	if not content or content == "" then return {}; end
	local answer = {};
	local frame = content:gsub('"([%w_]+)":"([^"\\]*)"', function (key, value)
		answer[key] = value;
		return "";
	end);
	if not frame:find("^{,*}%s*$") then
		answer = json.decode(content);
	end
	return type(answer) == "table" and answer or {};
end

local function take(code, content, callback)
	if our_fault[code] then
		module:log("error", "onecredd refuses our request: %d %s", code, content or "");
		-- The file may have been changed since it was read.
		if code == 401 then token = nil; end
		return callback(0, {});
	elseif code == 0 or code >= 500 then
		note(true, code == 0 and content or "HTTP "..code);
		return callback(0, {});
	end
	note(false);
	return callback(code, decode(content));
end

local function write(method, path, body)
	return table.concat({
		method, " ", path, " HTTP/1.1\r\nHost: onecred\r\nAuthorization: Bearer ", token,
		"\r\nContent-Type: application/json\r\nContent-Length: ", tostring(#body), "\r\n\r\n", body;
	});
end

-- Questions in the order of their deadlines, oldest first. One timer looks
-- after them all: setting and stopping one for each would cost more than the
-- questions themselves.
local pending, oldest, newest, clock = {}, 1, 0, nil;

local function sweep()
	local time = now();
	clock = nil;
	while oldest <= newest do
		local question = pending[oldest];
		if not question.over then
			if question.deadline > time then
				clock = timer.add_task(question.deadline - time, sweep);
				return;
			end
			pool:give_up(question);
			take(0, "timeout", question.asker);
		end
		pending[oldest] = nil;
		oldest = oldest + 1;
	end
end

local function watch(question, asker)
	question.asker = asker;
	question.deadline = now() + deadline;
	newest = newest + 1;
	pending[newest] = question;
	clock = clock or timer.add_task(deadline, sweep);
end

-- Asks, and calls back with (status, answer) exactly once: status 0 if nobody
-- knows, else HTTP's, and what the body said (a table, maybe empty).
function client.ask_later(method, path, body, callback)
	token = token or read_token();
	if not token then
		return take(0, "no token", callback);
	end
	local question = pool:send(write(method, path, body and encode(body) or ""), {
		no_body = method == "HEAD";
		-- Who sets or creates twice could get another answer.
		again = method == "HEAD" or method == "POST";
	}, function (code, content)
		return take(code, content, callback);
	end);
	if not question.over then
		watch(question, callback);
	end
end

-- Whether the caller may be put to sleep: some of Prosody's callers run
-- outside of any thread, or below a C function that cannot be suspended.
function client.can_wait()
	return async.ready() and (not coroutine.isyieldable or coroutine.isyieldable());
end

-- The same for callers that can wait: returns (status, answer).
function client.ask(method, path, body)
	local wait, done = async.waiter();
	local status, answer = 0, {};
	client.ask_later(method, path, body, function (code, content)
		status, answer = code, content;
		done();
	end);
	wait();
	return status, answer;
end

function client.close()
	pool:close();
end

token = read_token();

return client;
