"""What a Redis does in one step for the result cache, in its own language (Lua).

All keys share a hash tag, so that they stand on one node of a cluster. Beside each value stand its size, when it was last used (of
all, and of its tenant) and when it ends; times are the Redis's own, since servers' clocks differ.
"""

from __future__ import annotations

from typing import Final

_COMMON: Final = """
local p = KEYS[1]
local function now() local t = redis.call('TIME'); return t[1] * 1000 + math.floor(t[2] / 1000) end
local function tenant_of(m) return string.match(m, '^[^:]*') end
local function held(name) return tonumber(redis.call('HGET', p .. 'held', name) or '0') end
local function forget(m)
  local size = redis.call('HGET', p .. 'sizes', m)
  local t = tenant_of(m)
  redis.call('DEL', p .. 'value:' .. m)
  redis.call('ZREM', p .. 'used', m)
  redis.call('ZREM', p .. 'used:' .. t, m)
  redis.call('ZREM', p .. 'ends', m)
  if not size then return end
  redis.call('HDEL', p .. 'sizes', m)
  redis.call('HINCRBY', p .. 'held', '', -size)
  if redis.call('HINCRBY', p .. 'held', t, -size) <= 0 then redis.call('HDEL', p .. 'held', t) end
end
"""

GET: Final = (
    _COMMON
    + """
local m = ARGV[1]
local value = redis.call('GET', p .. 'value:' .. m)
if value then
  redis.call('ZADD', p .. 'used', 'XX', now(), m)
  redis.call('ZADD', p .. 'used:' .. tenant_of(m), 'XX', now(), m)
else
  forget(m)
end
return value
"""
)
"""Argument: the member. The value, or nil."""

PUT: Final = (
    _COMMON
    + """
local m, value, size, ttl, most, share, steps = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]),
  tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local t, evicted = tenant_of(m), 0
forget(m)
for _, old in ipairs(redis.call('ZRANGEBYSCORE', p .. 'ends', '-inf', now(), 'LIMIT', 0, steps)) do
  forget(old)
  evicted = evicted + 1
end
local function room(name, set, bound)
  while held(name) + size > bound and evicted < steps do
    local oldest = redis.call('ZRANGE', set, 0, 0)[1]
    if not oldest then redis.call('HDEL', p .. 'held', name); return end
    forget(oldest)
    evicted = evicted + 1
  end
end
room(t, p .. 'used:' .. t, share)
room('', p .. 'used', most)
if held(t) + size <= share and held('') + size <= most then
  redis.call('SET', p .. 'value:' .. m, value, 'PX', ttl)
  redis.call('HSET', p .. 'sizes', m, size)
  redis.call('ZADD', p .. 'used', now(), m)
  redis.call('ZADD', p .. 'used:' .. t, now(), m)
  redis.call('ZADD', p .. 'ends', now() + ttl, m)
  redis.call('HINCRBY', p .. 'held', t, size)
  redis.call('HINCRBY', p .. 'held', '', size)
end
return {evicted, held('')}
"""
)
"""Arguments: member, value, its size, milliseconds, bytes of all, bytes of a tenant, most results that make room in one step.
How many made room, and the bytes that are held now."""

CLAIM: Final = (
    _COMMON
    + """
local value = redis.call('GET', p .. 'value:' .. ARGV[1])
if value then return value end
if redis.call('SET', p .. 'turn:' .. ARGV[1], ARGV[2], 'NX', 'PX', ARGV[3]) then return 1 end
return 0
"""
)
"""Arguments: member, token, milliseconds. The value; else 1 for whoever is to work it out, 0 for whoever is to wait."""

RENEW: Final = """
if redis.call('GET', KEYS[1] .. 'turn:' .. ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('PEXPIRE', KEYS[1] .. 'turn:' .. ARGV[1], ARGV[3])
"""
"""Arguments: member, token, milliseconds."""

RELEASE: Final = """
if redis.call('GET', KEYS[1] .. 'turn:' .. ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('DEL', KEYS[1] .. 'turn:' .. ARGV[1])
"""
"""Arguments: member, token."""
