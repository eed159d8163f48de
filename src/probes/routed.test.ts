import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEndpoint, type Endpoint } from '../core/fleet/endpoint.ts';
import type { Probe } from '../ports.ts';
import { createRoutedProbe } from './routed.ts';

function endpoint(address: string): Endpoint {
  const read = parseEndpoint(address);
  assert.ok(read.kind === 'endpoint');
  return read.endpoint;
}

/** Remembers what it was asked. */
function listener(name: string, heard: string[]): Probe {
  return {
    probe: ({ address }) => {
      heard.push(`${name} probes ${address}`);
      return Promise.resolve({ kind: 'sample', load: 1, latency: 0 });
    },
    forget: (id) => heard.push(`${name} forgets ${id}`),
    recheckNames: () => {
      heard.push(`${name} resolves names`);
      return Promise.resolve();
    },
    close: () => {
      heard.push(`${name} closes`);
      return Promise.resolve();
    },
  };
}

test('a server behind the gateway is probed inside, any other by its public address', async () => {
  const heard: string[] = [];
  const inside = endpoint('10.0.0.3:2000');
  const probe = createRoutedProbe({
    outside: listener('outside', heard),
    inside: listener('inside', heard),
    locate: ({ id }) => (id === 'proxy:2000' ? inside : undefined),
  });
  await probe.probe(endpoint('proxy/2000'));
  await probe.probe(endpoint('other/2000'));
  probe.forget('proxy:2000');
  await probe.close();
  assert.deepEqual(heard, [
    'inside probes 10.0.0.3:2000',
    'outside probes other/2000',
    'outside forgets proxy:2000',
    'inside forgets proxy:2000',
    'outside closes',
    'inside closes',
  ]);
});
