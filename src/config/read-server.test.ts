import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSimulationServer } from './read-server.ts';

test('a problem of a single server is described without a place in a file', () => {
  const wrong: [entry: unknown, reason: RegExp][] = [
    [{ address: 'http://foo' }, /^address: "http:\/\/foo" — expected "host\/2000"/],
    [{ address: 'a/2000', wieght: 2 }, /^wieght: unknown key — expected a documented key; did you mean "weight"\?$/],
    [{ address: 'a/2000', labels: { 'a b': 3 } }, /^labels\["a b"\]: 3 /],
    [5, /^the server: 5 /],
  ];
  for (const [entry, expected] of wrong) {
    const read = readSimulationServer(entry);
    assert.match(read.kind === 'refused' ? read.reason : 'accepted', expected);
  }
});

test('a server that may be in the configuration is read as it is read there', () => {
  const read = readSimulationServer({ address: 'sim9.example.org/2000', weight: 2 });
  assert.ok(read.kind === 'server');
  assert.deepEqual([read.server.endpoint.id, read.server.weight], ['sim9.example.org:2000', 2]);
});
