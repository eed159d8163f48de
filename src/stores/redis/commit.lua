-- One commit: all of it, or nothing when another replica was elected since or the store does not have the commit before it.
-- KEYS: meta, state, journal
-- ARGV: leader, term, number, whether it replaces everything (0 or 1), its text in the journal, length of the journal, count of keys that are set,
--       then these keys and their texts, then the keys that are removed
local meta = redis.call('HMGET', KEYS[1], 'term', 'leader', 'commitTerm', 'number', 'size')
local term, wanted, number = tonumber(meta[1]) or 0, tonumber(ARGV[2]), tonumber(ARGV[3])
if term < wanted then return 'behind' end
if term > wanted or meta[2] ~= ARGV[1] then return 'fenced' end
if meta[3] == ARGV[2] and meta[4] == ARGV[3] then return 'done' end
if ARGV[4] == '1' then
  redis.call('DEL', KEYS[2], KEYS[3])
-- Another size or type: the state was evicted, or others wrote into it.
elseif number ~= (tonumber(meta[4]) or 0) + 1 or redis.pcall('HLEN', KEYS[2]) ~= (tonumber(meta[5]) or 0) then
  return 'behind'
end

local set = 7 + 2 * tonumber(ARGV[7])
-- Lua unpacks a few thousand values at most.
for i = 8, set, 1000 do redis.call('HSET', KEYS[2], unpack(ARGV, i, math.min(i + 999, set))) end
for i = set + 1, #ARGV, 1000 do redis.call('HDEL', KEYS[2], unpack(ARGV, i, math.min(i + 999, #ARGV))) end
redis.call('HSET', KEYS[1], 'commitTerm', ARGV[2], 'number', ARGV[3], 'size', redis.call('HLEN', KEYS[2]))

local function append()
  return redis.pcall('XADD', KEYS[3], 'MAXLEN', '~', ARGV[6], ARGV[2] .. '-' .. ARGV[3], 'changes', ARGV[5])
end
-- Others wrote into the journal. Followers read the state instead.
if type(append()) == 'table' then
  redis.call('DEL', KEYS[3])
  append()
end
return 'done'
