-- One heartbeat. Renews the lease of the leader, or grants it while nobody has it.
-- KEYS: lease, meta, members, beats
-- ARGV: replica, its member text, whether it wants to lead (0 or 1), lease in ms, highest term it knows, silence in ms after which a member is forgotten
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

redis.call('HSET', KEYS[3], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[4], now, ARGV[1])
for _, silent in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now - ARGV[6])) do
  redis.call('HDEL', KEYS[3], silent)
  redis.call('ZREM', KEYS[4], silent)
end

local meta = redis.call('HMGET', KEYS[2], 'term', 'leader', 'commitTerm', 'number')
local term, known = tonumber(meta[1]) or 0, tonumber(ARGV[5])
local before = term
local holder = redis.call('GET', KEYS[1])
local role = 'follows'
if ARGV[3] == '1' and (not holder or holder == ARGV[1]) then
  -- A lease without its term: the store evicted or lost what it belongs to.
  if meta[2] == ARGV[1] and term >= known then
    role = 'leads'
  else
    role = 'elected'
    term = math.max(term, known) + 1
    redis.call('HSET', KEYS[2], 'term', term, 'leader', ARGV[1])
  end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[4])
  holder = ARGV[1]
end

local answer = { role, now, term, before, meta[3] or '0', meta[4] or '0', holder or '', redis.call('PTTL', KEYS[1]) }
for _, id in ipairs(redis.call('ZREVRANGE', KEYS[4], 0, 99)) do
  answer[#answer + 1] = redis.call('HGET', KEYS[3], id) or ''
  answer[#answer + 1] = now - redis.call('ZSCORE', KEYS[4], id)
end
return answer
