import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerState } from '../fleet/fleet.ts';
import { incidentViews } from '../views/incident-view.ts';
import { incidentRules, Incidents, type IncidentRules, type Notification, type Sighting } from './incidents.ts';

/** Seconds since the epoch at second 0 of the engine's clock. */
const EPOCH = 1_700_000_000;
const rules: IncidentRules = { groupWait: 6, minHold: 10, maxHold: 900, relapseLifetime: 1800 };

/** Incidents with a clock: each step goes to a time, and notifications come out when they are due. */
class Story {
  readonly incidents: Incidents;
  readonly notifications: Notification[] = [];
  readonly loads = new Map<string, number>();
  #now = 0;

  constructor(given: IncidentRules = rules) {
    let ids = 0;
    this.incidents = new Incidents(given, () => `i${++ids}`);
  }

  at(time: number): this {
    while (this.incidents.nextDue <= time) {
      const { nextDue } = this.incidents;
      this.#now = Math.max(this.#now, nextDue);
      this.#collect();
      assert.notEqual(this.incidents.nextDue, nextDue, 'due did nothing and wants to be called again');
    }
    this.#now = time;
    return this;
  }

  sees(to: ServerState, id = 'a', more: Partial<Sighting> = {}): this {
    this.incidents.observe({ id, address: `${id}/2000`, to, at: this.#now, ...more });
    return this;
  }

  down(id = 'a'): this {
    return this.sees('down', id, { from: 'unknown', failure: { code: 'timeout', reason: 'it did not answer within 4 s' } });
  }

  up(id = 'a', load = 20): this {
    return this.sees('available', id, { load });
  }

  /** `kind server,server @second`, in order. */
  get told(): string[] {
    return this.notifications.map(({ kind, servers, at }) => `${kind} ${servers.map(({ id }) => id).join(',')} @${at - EPOCH}`);
  }

  #collect(): void {
    const now = { at: this.#now, wallTime: EPOCH + this.#now };
    this.notifications.push(...this.incidents.due(now, (id) => this.loads.get(id)));
  }
}

test('a server that goes down is reported once, and its return once it has lasted, with the duration', () => {
  const story = new Story().at(100).sees('unknown', 'a', { failure: { code: 'refused', reason: 'nothing listens' } });
  story.at(101).down().at(400).sees('unknown').at(401);
  story.loads.set('a', 35);
  story.up().at(1000);
  assert.deepEqual(story.told, ['down a @107', 'recovered a @411']);
  const [down, recovered] = story.notifications;
  assert.deepEqual(down?.servers, [{ id: 'a', address: 'a/2000', reason: 'it did not answer within 4 s', began: EPOCH + 100 }]);
  assert.deepEqual(recovered?.servers, [{ id: 'a', address: 'a/2000', load: 35, began: EPOCH + 100, lasted: 301 }]);
});

test('a server that has never answered and is down is reported', () => {
  assert.deepEqual(new Story().at(1).down().at(60).told, ['down a @7']);
});

test('a hundred servers that go down within one poll interval are one message, and so is their return', () => {
  const story = new Story(incidentRules(5));
  const ids = Array.from({ length: 100 }, (_, index) => `s${index}`);
  for (const [index, id] of ids.entries()) story.at(10 + index * 0.05).down(id);
  for (const [index, id] of ids.entries()) story.at(100 + index * 0.05).up(id);
  story.at(1000);
  assert.deepEqual(
    story.notifications.map(({ kind, servers }) => [kind, servers.map(({ id }) => id)]),
    [
      ['down', ids],
      ['recovered', ids],
    ],
  );
});

test('a short failure that is over before it was reported is shown on the page only', () => {
  const story = new Story().at(1).down().at(4).up().at(1000);
  assert.deepEqual(story.told, []);
  const [incident] = story.incidents.ended;
  assert.equal(incident?.ended, 4);
  assert.deepEqual(incident.notices, []);
});

test('short failures in a row are reported', () => {
  const story = new Story();
  for (let time = 0; time < 60; time += 4)
    story
      .at(time)
      .down()
      .at(time + 2)
      .up();
  assert.deepEqual(story.told, ['down a @10']);
});

test('a relapse before the end has settled belongs to the same incident', () => {
  const story = new Story().at(0).down().at(60).up().at(65).down().at(100).up().at(1000);
  assert.deepEqual(story.told, ['down a @6', 'recovered a @130']);
  assert.equal(story.incidents.ended[0]?.relapses, 1);
  assert.equal(story.notifications[1]?.servers[0]?.lasted, 100);
});

test('a server that flaps for a day costs a handful of messages', () => {
  for (const period of [10, 30, 60, 300]) {
    const story = new Story();
    for (let time = 0; time < 86_400; time += 2 * period)
      story
        .at(time)
        .down()
        .at(time + period)
        .up();
    assert.ok(story.notifications.length <= 9, `${story.notifications.length} messages at a period of ${period} s`);
    assert.ok(story.notifications.length >= 1);
  }
});

test('a server that was calm for long is believed as quickly as at first', () => {
  const story = new Story();
  for (let time = 0; time < 600; time += 40)
    story
      .at(time)
      .down()
      .at(time + 20)
      .up();
  story.at(100_000).down().at(100_100).up().at(200_000);
  assert.equal(story.told.at(-1), 'recovered a @100110');
});

test('while the condition of a server that came back is unknown, its recovery is not reported', () => {
  const story = new Story()
    .at(0)
    .down()
    .at(50)
    .up()
    .at(55)
    .sees('unknown', 'a', { failure: { code: 'timeout', reason: '' } });
  story.at(200);
  assert.deepEqual(story.told, ['down a @6']);
  story.up().at(300);
  assert.equal(story.told.at(-1), 'recovered a @210');
  assert.equal(story.notifications.at(-1)?.servers[0]?.lasted, 50);
});

test('a full server is reported with the load that filled it, and again with the present load when it has room', () => {
  const story = new Story().at(0).sees('full', 'a', { load: 96.5 });
  story.loads.set('a', 91);
  story.at(100).up('a', 50);
  story.loads.set('a', 40);
  story.at(500);
  assert.deepEqual(story.told, ['full a @6', 'available a @110']);
  assert.deepEqual(
    story.notifications.map(({ servers }) => servers[0]?.load),
    [96.5, 40],
  );
});

test('a full server that goes down keeps its incident, and is not reported to have room before it does', () => {
  const story = new Story().at(0).sees('full', 'a', { load: 99 });
  story.at(20).sees('unknown').at(21).down().at(60).sees('full', 'a', { load: 97 }).at(300).up().at(1000);
  assert.deepEqual(story.told, ['full a @6', 'down a @27', 'recovered a @70', 'available a @310']);
});

test('a server that is drained is no longer reported as full, but still as down', () => {
  const story = new Story().at(0).sees('full', 'a', { load: 99 });
  story
    .at(20)
    .sees('draining', 'a', { from: 'full' })
    .at(40)
    .down()
    .at(90)
    .sees('draining', 'a', { from: 'down', load: 3 })
    .at(500);
  assert.deepEqual(story.told, ['full a @6', 'down a @46', 'recovered a @100']);
  assert.deepEqual([...story.incidents.open()], []);
});

test('a server that goes down at its first failed probe is not reported to have room', () => {
  const story = new Story().at(0).sees('full', 'a', { load: 99 }).at(50).up().at(55).down().at(500);
  assert.deepEqual(story.told, ['full a @6', 'down a @61']);
});

test('draining a server in doubt does not count as an answer', () => {
  const story = new Story().at(0).down().at(20).sees('draining', 'a', {}).at(500);
  assert.deepEqual(story.told, ['down a @6']);
});

test('a suspected server is reported once, and its incident ends without a message', () => {
  const story = new Story().at(5);
  story.incidents.suspected({ id: 'a', address: 'a/2000', load: 2 }, 5, '30 points are missing');
  story.at(50).incidents.trusted('a', 50);
  story.at(100);
  assert.deepEqual(story.told, ['suspect a @11']);
  assert.deepEqual(story.notifications[0]?.servers, [
    { id: 'a', address: 'a/2000', load: 2, reason: '30 points are missing', began: EPOCH + 5 },
  ]);
  assert.equal(story.incidents.ended[0]?.ended, 50);
});

test('the incidents of a server that leaves the fleet end without a message', () => {
  const story = new Story().at(0).down('a').down('b');
  story.at(3).incidents.removed('b', 3);
  story.at(50).incidents.removed('a', 50);
  story.at(1000);
  assert.deepEqual(story.told, ['down a @6']);
  assert.deepEqual([...story.incidents.open()], []);
  assert.equal(story.incidents.ended.length, 2);
});

test('the fleet as it stands fixes what was missed', () => {
  const story = new Story().at(0).down('a').down('b').down('c').at(100);
  story.incidents.reconcile(
    [
      { id: 'a', address: 'a/2000', to: 'available', at: 100, load: 10 },
      { id: 'b', address: 'b/2000', to: 'down', at: 100 },
    ],
    100,
  );
  story.at(500);
  assert.deepEqual(story.told, ['down a,b,c @6', 'recovered a @110']);
  assert.deepEqual(
    [...story.incidents.open()].map(({ incident }) => incident.server),
    ['b'],
  );
});

test('the last five hundred ended incidents can be shown', () => {
  const story = new Story();
  for (let index = 0; index < 600; index += 1)
    story
      .at(index * 20)
      .down(`s${index}`)
      .at(index * 20 + 1)
      .up(`s${index}`);
  story.at(1_000_000);
  assert.equal(story.incidents.ended.length, 500);
  assert.equal(story.incidents.ended.at(-1)?.server, 's599');
});

test('the page shows incidents newest first, with the outcome of each notification', () => {
  const story = new Story().at(0).down('a').at(20).down('b').at(30).up('b').at(100);
  const [first, second, third] = story.notifications;
  story.incidents.delivered(first?.id ?? '', 'email', 'failed', EPOCH + 7);
  story.incidents.delivered(first?.id ?? '', 'email', 'sent', EPOCH + 12);
  story.incidents.delivered(second?.id ?? '', 'email', 'waiting');
  story.incidents.delivered(third?.id ?? '', 'email', 'sent', EPOCH + 41);
  assert.deepEqual(
    incidentViews(story.incidents.all(), EPOCH, 10).map(({ id: _, ...view }) => view),
    [
      {
        kind: 'down',
        serverId: 'b',
        server: 'b/2000',
        began: EPOCH + 20,
        ended: EPOCH + 30,
        reason: 'it did not answer within 4 s',
        notices: [
          { notifier: 'email', at: null, outcome: 'waiting' },
          { notifier: 'email', at: EPOCH + 41, outcome: 'sent' },
        ],
      },
      {
        kind: 'down',
        serverId: 'a',
        server: 'a/2000',
        began: EPOCH,
        ended: null,
        reason: 'it did not answer within 4 s',
        notices: [{ notifier: 'email', at: EPOCH + 12, outcome: 'sent' }],
      },
    ],
  );
  assert.equal(incidentViews(story.incidents.all(), EPOCH, 1).length, 1);
});

interface Step {
  /** Seconds before it. */
  readonly pause: number;
  readonly id: string;
  readonly to: ServerState;
  /** Leaves the fleet instead. */
  readonly leaves: boolean;
}

/** Two servers, any states, at any times. */
const stories: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    pause: fc.oneof(fc.double({ min: 0, max: 20, noNaN: true }), fc.double({ min: 0, max: 2000, noNaN: true })),
    id: fc.constantFrom('a', 'b'),
    to: fc.constantFrom<ServerState>('unknown', 'available', 'full', 'draining', 'down'),
    leaves: fc.nat(40).map((one) => one === 0),
  }),
  { maxLength: 80 },
);

/** Plays a story and returns, for each server, the times of its continuous stays in `down`. */
function play(story: Story, steps: readonly Step[]): { id: string; from: number; until: number }[] {
  const stays: { id: string; from: number; until: number }[] = [];
  const states = new Map<string, { to: ServerState; since: number }>();
  let time = 0;
  const leave = (id: string): void => {
    const before = states.get(id);
    if (before?.to === 'down') stays.push({ id, from: before.since, until: time });
    states.delete(id);
  };
  for (const { pause, id, to, leaves } of steps) {
    time += pause;
    story.at(time);
    const from = states.get(id)?.to ?? 'unknown';
    if (leaves) {
      leave(id);
      story.incidents.removed(id, time);
    } else if (from !== to) {
      leave(id);
      states.set(id, { to, since: time });
      const load = to === 'available' || to === 'full' ? { load: 50 } : {};
      story.sees(to, id, { from, ...load });
    }
  }
  time += 10_000;
  story.at(time);
  for (const id of [...states.keys()]) leave(id);
  return stays;
}

test('whatever happens, an incident has at most one notice that opens and one that closes it, in this order', () => {
  fc.assert(
    fc.property(stories, (steps) => {
      const story = new Story();
      play(story, steps);
      const places = new Map(story.notifications.map(({ id }, index) => [id, index]));
      assert.equal(places.size, story.notifications.length);
      const mentions = new Map<string, number>();
      for (const { beginNotification: told, endNotification: toldEnd, ended } of story.incidents.all()) {
        for (const id of [told, toldEnd]) if (id !== undefined) mentions.set(id, (mentions.get(id) ?? 0) + 1);
        if (toldEnd === undefined) continue;
        assert.ok(told !== undefined && ended !== undefined);
        assert.ok((places.get(told) ?? Infinity) < (places.get(toldEnd) ?? -Infinity));
      }
      // Each server in each notification belongs to exactly one incident.
      for (const { id, servers } of story.notifications) assert.equal(mentions.get(id), servers.length);
    }),
  );
});

test('whatever happens, of each server `down` and `recovered` take turns, unless it left the fleet between', () => {
  fc.assert(
    fc.property(stories, (steps) => {
      const story = new Story();
      const staying = steps.map((step) => ({ ...step, leaves: false }));
      play(story, staying);
      for (const id of ['a', 'b']) {
        const kinds = story.notifications
          .filter(({ servers }) => servers.some((server) => server.id === id))
          .map(({ kind }) => kind);
        const turns = kinds.filter((kind) => kind === 'down' || kind === 'recovered');
        assert.deepEqual(
          turns,
          turns.map((_, index) => (index % 2 === 0 ? 'down' : 'recovered')),
        );
      }
    }),
  );
});

test('whatever happens, a server that stays down longer than the group wait is reported', () => {
  fc.assert(
    fc.property(stories, (steps) => {
      const story = new Story();
      const stays = play(story, steps).filter(({ from, until }) => until - from > rules.groupWait);
      const told = new Map(story.notifications.map(({ id, at }) => [id, at - EPOCH]));
      const incidents = [...story.incidents.all()].filter(({ kind }) => kind === 'not-responding');
      for (const { id, from } of stays) {
        const covering = incidents.filter(
          ({ server, began, ended = Infinity }) => server === id && began <= from && ended >= from,
        );
        assert.ok(
          covering.some(
            (incident) =>
              incident.beginNotification !== undefined &&
              (told.get(incident.beginNotification) ?? Infinity) <= from + rules.groupWait + 1e-6,
          ),
          `${id} down from ${from} was not reported in time`,
        );
      }
    }),
  );
});

test('whatever happens, no end is reported while the server is down or its condition unknown', () => {
  fc.assert(
    fc.property(stories, (steps) => {
      const story = new Story();
      const stays = play(story, steps);
      for (const { kind, at, servers } of story.notifications) {
        if (kind !== 'recovered') continue;
        for (const { id } of servers)
          assert.ok(!stays.some((stay) => stay.id === id && stay.from < at - EPOCH && at - EPOCH < stay.until));
      }
    }),
  );
});
