-- Everything that is shared, as of the last commit. Nothing, if part of it was evicted.
-- KEYS: meta, state
local meta = redis.call('HMGET', KEYS[1], 'commitTerm', 'number', 'size')
if redis.pcall('HLEN', KEYS[2]) ~= (tonumber(meta[3]) or 0) then return { '0', '0', {} } end
return { meta[1] or '0', meta[2] or '0', redis.call('HGETALL', KEYS[2]) }
