import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { FORMAT, FORMAT_KEY } from '../../core/replicas/format.ts';
import type { Digests } from '../../core/replicas/member.ts';
import { Mirror } from '../../core/replicas/shared-state.ts';
import { MemorySharedStore } from '../../stores/shared-memory.ts';
import { Heartbeats } from './heartbeats.ts';

class Scene {
  readonly clock = new FakeClock();
  readonly store = new MemorySharedStore(() => this.clock.wallTime());
  readonly heartbeats: Heartbeats[] = [];

  start(name: string, digests: () => Digests = () => ({ limits: '1' }), log = new MemoryLog()) {
    const elected: number[] = [];
    const heartbeats = new Heartbeats({
      ...{ clock: this.clock, log, store: this.store, digests, polls: () => 0, mirror: new Mirror() },
      self: { id: `${name}-1`, name, version: '0.2.0' },
      events: {
        elected: (term) => void elected.push(term),
        ...{ renewed: () => undefined, deposed: () => undefined, outOfReach: () => Promise.resolve() },
      },
    });
    this.heartbeats.push(heartbeats);
    return { heartbeats, elected, log };
  }

  async stop(): Promise<void> {
    await Promise.all(this.heartbeats.map((heartbeats) => heartbeats.stop()));
  }
}

test('a replica with other settings is named with its sections, once, and forgotten when they are the same again', async () => {
  const scene = new Scene();
  const { heartbeats, log } = scene.start('a');
  await scene.clock.advance(3);
  let own: Digests = { limits: '2', waiting: '1' };
  scene.start('b', () => own);
  await scene.clock.advance(5);
  assert.deepEqual([...heartbeats.replication.differing.values()], [['limits', 'waiting']]);
  assert.equal(heartbeats.replication.leader?.name, 'a');
  const said = () => log.complaints.filter((text) => text.includes('b has other settings than the leader: limits, waiting'));
  assert.equal(said().length, 1);
  own = { limits: '1' };
  await scene.clock.advance(3);
  assert.equal(heartbeats.replication.differing.size, 0);
  await scene.stop();
});

test('a replica that cannot read the format of what is shared never asks for the lease', async () => {
  const scene = new Scene();
  await scene.store.beat({ id: 'newer', member: '', wants: true, lease: 0.1, term: 0 });
  const changes = [[FORMAT_KEY, String(FORMAT + 1)]] as const;
  await scene.store.commit({ leader: 'newer', term: 1, number: 1, changes, replaces: true });
  const { heartbeats, elected } = scene.start('a');
  await scene.clock.advance(10);
  assert.deepEqual(elected, []);
  assert.equal(heartbeats.replication.foreignFormat, String(FORMAT + 1));
  await scene.stop();
});
