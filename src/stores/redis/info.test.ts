import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readInfo } from './info.ts';

test('version, role, memory and persistence are read from INFO', () => {
  const lines = ['# Server', 'redis_version:7.0.15', '', 'role:slave', 'used_memory:1000', 'maxmemory:2000'];
  assert.deepEqual(readInfo([...lines, 'maxmemory_policy:allkeys-lru', 'aof_enabled:1', 'connected_slaves:2'].join('\r\n')), {
    ...{ version: 'Redis 7.0.15', takesWrites: false, evictionPolicy: 'allkeys-lru', memory: 1000, maxMemory: 2000 },
    ...{ appends: true, copies: 2 },
  });
  assert.equal(readInfo('redis_version:7.2.4\nvalkey_version:8.1.0\n').version, 'Valkey 8.1.0');
});

test('any text gives facts that can be shown', () => {
  const { version, evictionPolicy, memory } = readInfo('redis_version:\u001b[31m\nused_memory:-1\nmaxmemory_policy:a b\n:\n\n');
  assert.deepEqual([version, evictionPolicy, memory], ['Redis of an unknown version', 'unknown', 0]);
});
