-- Everything that is shared, as of the last commit.
-- KEYS: meta, state
local meta = redis.call('HMGET', KEYS[1], 'commitTerm', 'number')
return { meta[1] or '0', meta[2] or '0', redis.call('HGETALL', KEYS[2]) }
