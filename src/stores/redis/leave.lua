-- A replica stops: it is no member any more, and its lease ends.
-- KEYS: lease, members, beats
-- ARGV: replica
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 'done'
