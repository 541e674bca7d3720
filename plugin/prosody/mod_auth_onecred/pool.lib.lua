-- HTTP/1.1 to onecredd over a few connections that are kept: a login asks
-- twice, and net.http would connect for each. One question at a time is on a
-- connection; more wait in line for the next that is free.
--
-- NB: a connection whose question was given up is closed and never used
-- again: its late answer would be taken for the answer to the next question.
--
--	local pool = new_pool("unix:/run/onecred/http.sock")
--	local question = pool:send(text, again, function (code, body) ... end)
--	pool:give_up(question)
--
-- The callback fires once, with the HTTP status and the body, or with 0 and
-- a reason; never for what was given up. question.over: either has happened.

local server = require "net.server";

local CONNECTIONS_MAX = 16;
local ANSWER_MAX = 65536; -- octets; onecredd's are below 16 KiB

local pool_methods = {};
local pool_mt = { __index = pool_methods };

local links = {}; -- by Prosody's connection
local listener = {};
local serve; -- (pool): gives waiting questions to free connections

-- A link: { conn, pool, question = what it is asked, got = octets so far,
-- asked = how many questions it has answered, connected }

local function drop(link)
	local pool = link.pool;
	if not links[link.conn] then return; end
	links[link.conn] = nil;
	pool.links[link] = nil;
	pool.open = pool.open - 1;
	for i, idle in ipairs(pool.idle) do
		if idle == link then
			table.remove(pool.idle, i);
			break;
		end
	end
end

local function finish(question, code, body)
	if question.over then return; end
	question.over = true;
	question.text = nil; -- it may hold a password
	question.callback(code, body);
end

-- The link is gone, and with it what it was asked.
local function fail(link, why)
	local pool, question = link.pool, link.question;
	drop(link);
	link.question = nil;
	if question and not question.over then
		-- The daemon closes a connection that was idle just when it is used
		-- again, or was restarted: neither has read the question.
		if question.again and link.asked > 0 and link.got == "" then
			question.again = false;
			table.insert(pool.waiting, 1, question);
		else
			finish(question, 0, why);
		end
	end
	return serve(pool);
end

local function close(link, why)
	local conn = link.conn;
	fail(link, why);
	conn:close();
end

local function write(link)
	local question = link.question;
	if not question or not link.connected then return; end
	link.got = "";
	-- At once, as a question fits into the socket's buffer: Prosody's own way
	-- would take two more turns of its loop. What does not fit goes there.
	local sent, _, partly = link.conn:socket():send(question.text);
	sent = sent or partly or 0;
	if sent < #question.text then
		link.conn:write(question.text:sub(sent + 1));
	end
end

-- One answer, as onecredd writes them: always with a Content-Length.
local function parse(link)
	local head_end, body_start = link.got:find("\r\n\r\n", 1, true);
	if not head_end then
		return #link.got <= ANSWER_MAX, nil;
	end
	local head = link.got:sub(1, head_end + 1);
	local code = tonumber(head:match("^HTTP/1%.1 (%d%d%d)"));
	local fields = head:lower();
	local length = link.question.no_body and 0 or tonumber(fields:match("\ncontent%-length: *(%d+)\r"));
	if not code or not length or length > ANSWER_MAX then
		return false;
	end
	if #link.got < body_start + length then
		return true, nil;
	end
	link.last = fields:find("\nconnection: *close") ~= nil;
	return #link.got == body_start + length, code, link.got:sub(body_start + 1);
end

function listener.onconnect(conn)
	local link = links[conn];
	if link and not link.connected then
		link.connected = true;
		write(link);
	end
end

function listener.onincoming(conn, data)
	local link = links[conn];
	if not link then
		return;
	elseif not link.question then
		return close(link, "an answer without a question");
	end
	link.got = link.got..data;
	local ok, code, body = parse(link);
	if not ok then
		return close(link, "not an answer of onecredd's");
	elseif not code then
		return;
	end
	local question = link.question;
	link.question, link.got = nil, "";
	link.asked = link.asked + 1;
	if link.last then
		drop(link);
		conn:close();
	else
		table.insert(link.pool.idle, link);
	end
	-- Those in line before those who ask because of this answer.
	serve(link.pool);
	finish(question, code, body);
end

function listener.ondisconnect(conn, why)
	local link = links[conn];
	if link then
		fail(link, why or "closed");
	end
end

local function connect(pool)
	if pool.path then
		local have_unix, unix = pcall(require, "socket.unix");
		if not have_unix then return nil, "no unix sockets in this lua-socket"; end
		local socket = (type(unix) == "table" and unix.stream or unix)();
		socket:settimeout(0);
		local ok, why = socket:connect(pool.path);
		if not ok then
			socket:close();
			return nil, why;
		end
		return server.wrapclient(socket, pool.path, 0, listener, "*a");
	end
	return server.addclient(pool.address, pool.port, listener, "*a");
end

local function ask(link, question)
	link.question = question;
	question.link = link;
	write(link);
end

function serve(pool)
	while pool.waiting[1] do
		if pool.waiting[1].over then
			table.remove(pool.waiting, 1);
		elseif pool.idle[1] then
			ask(table.remove(pool.idle), table.remove(pool.waiting, 1));
		elseif pool.open < CONNECTIONS_MAX and not pool.closed then
			local conn, why = connect(pool);
			if not conn then
				finish(table.remove(pool.waiting, 1), 0, why or "no connection");
			else
				local link = { conn = conn, pool = pool, got = "", asked = 0 };
				links[conn] = link;
				pool.links[link] = true;
				pool.open = pool.open + 1;
				ask(link, table.remove(pool.waiting, 1));
			end
		elseif pool.closed then
			finish(table.remove(pool.waiting, 1), 0, "closed");
		else
			return;
		end
	end
end

-- text: the whole request. options.again: whether it may be sent once more if
-- a kept connection turns out to be dead; options.no_body: HEAD.
function pool_methods:send(text, options, callback)
	local question = {
		text = text;
		again = options.again;
		no_body = options.no_body;
		callback = callback;
	};
	table.insert(self.waiting, question);
	serve(self);
	return question;
end

function pool_methods:give_up(question)
	local link = question.link;
	question.over = true;
	question.text = nil;
	if link and link.pool == self and link.question == question then
		close(link, "given up");
	end
end

function pool_methods:close()
	self.closed = true;
	for link in pairs(self.links) do
		close(link, "closed");
	end
	serve(self);
end

-- "unix:/run/onecred/http.sock" or "http://127.0.0.1:9118"; nil if neither.
local function new_pool(url)
	local pool = { links = {}, idle = {}, waiting = {}, open = 0 };

	pool.path = url:match("^unix:/*(/.+)$");
	if not pool.path then
		pool.address, pool.port = url:match("^http://%[?([%w.:]-)%]?:(%d+)/*$");
		pool.port = tonumber(pool.port);
		if not pool.port then return nil; end
		if pool.address == "localhost" then pool.address = "127.0.0.1"; end
	end
	return setmetatable(pool, pool_mt);
end

return {
	new = new_pool;
};
