import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Candidates } from '../fleet/candidates.ts';
import type { Ticket, TicketRequest, Want } from './line-order.ts';
import type { Pass } from './backfill.ts';
import { WaitingLine, type SavedTicket, type WaitingRules } from './waiting-line.ts';

const rules: WaitingRules = { maxLength: 1000, maxPerAddress: 1000, resume: 30, passing: 120 };
const everywhere: Candidates = { tiers: [['a', 'b']] };
const anywhere = () => everywhere;

function line(ids: string, changed: Partial<WaitingRules> = {}): WaitingLine {
  const result = new WaitingLine({ ...rules, ...changed });
  for (const id of ids) join(result, id, 0);
  return result;
}

/** Each client has a separate project unless another is given, and a token. */
function join(to: WaitingLine, id: string, now: number, more: Partial<TicketRequest> = {}): number {
  const joined = to.join({ id, token: `token of ${id}`, project: `project of ${id}`, ...more }, now);
  assert.equal(joined.kind, 'joined');
  return joined.position;
}

function rest(pass: Pass): string {
  let ids = '';
  for (let turn = pass.next(); turn !== undefined; turn = pass.next()) ids += turn.ticket.id;
  return ids;
}

/** Who may be tried, and where. */
function turns(pass: Pass): string[] {
  const result: string[] = [];
  for (let turn = pass.next(); turn !== undefined; turn = pass.next())
    result.push(`${turn.ticket.id} ${turn.candidates?.tiers.flat().join()}`);
  return result;
}

/** The candidates by the holder of the project. */
function projects(tiers: Readonly<Record<string, string[][]>>): (want: Want) => Candidates | undefined {
  const known = new Map(Object.entries(tiers).map(([id, tiers]) => [`project of ${id}`, { tiers }]));
  return ({ project = '' }) => known.get(project);
}

const order = (of: WaitingLine) => [...of.tickets()].map(({ id }) => id).join('');
const standings = (of: WaitingLine) => of.changes().map(({ ticket, position }) => `${ticket.id}${position}`);

describe('joining and leaving', () => {
  test('positions count from 1 in the order of arrival, and close up when a ticket leaves', () => {
    const four = line('abcd');
    assert.deepEqual([four.position('a'), four.position('d'), four.position('x')], [1, 4, undefined]);
    assert.equal(four.leave('b')?.id, 'b');
    assert.equal(four.leave('b'), undefined);
    assert.deepEqual([four.position('a'), four.position('b'), four.position('c'), four.position('d')], [1, undefined, 2, 3]);
    assert.equal(join(four, 'e', 5), 4);
    assert.equal(order(four), 'acde');
    assert.equal(four.longestWait(7), 7);
    assert.equal(new WaitingLine(rules).longestWait(7), undefined);
  });

  test('a line that is full refuses, with the number and something to do', () => {
    const full = line('ab', { maxLength: 2 });
    const refused = full.join({ id: 'c' }, 0);
    assert.ok(refused.kind === 'refused', 'refused');
    assert.equal(refused.code, 'waiting-line-full');
    assert.match(refused.reason, /2 requests are in it\. Try again/);
    full.leave('a');
    assert.equal(join(full, 'c', 0), 2);
  });

  test('an address has a maximum number of tickets; clients without an address are not limited', () => {
    const limited = new WaitingLine({ ...rules, maxPerAddress: 2 });
    for (const id of 'ab') join(limited, id, 0, { address: '192.0.2.1' });
    const refused = limited.join({ id: 'c', address: '192.0.2.1' }, 0);
    assert.ok(refused.kind === 'refused', 'refused');
    assert.equal(refused.code, 'too-many-waiting');
    join(limited, 'd', 0, { address: '192.0.2.2' });
    for (const id of 'efg') join(limited, id, 0);
    limited.admitted('a', 0);
    join(limited, 'c', 0, { address: '192.0.2.1' });
  });

  test('at the limit of an address a newcomer takes the place of the ticket that is without a connection for longest', () => {
    const limited = new WaitingLine({ ...rules, maxPerAddress: 2 });
    for (const id of 'ab') join(limited, id, 0, { address: '192.0.2.1' });
    join(limited, 'x', 0, { address: '192.0.2.2' });
    limited.lost('x', 1);
    limited.lost('b', 2);
    limited.lost('a', 3);
    const joined = limited.join({ id: 'c', address: '192.0.2.1' }, 4);
    assert.ok(joined.kind === 'joined');
    assert.deepEqual([joined.displaced?.id, joined.position], ['b', 3]);
    assert.equal(order(limited), 'axc');
    assert.equal(limited.resume('token of b', 5), undefined);
    assert.equal(limited.resume('token of a', 5)?.position, 1);
    assert.equal(limited.join({ id: 'd', address: '192.0.2.1' }, 6).kind, 'refused', 'both are there');
  });

  test('the same request or the same token cannot be in line twice', () => {
    const one = line('a');
    for (const request of [{ id: 'a' }, { id: 'b', token: 'token of a' }]) {
      const refused = one.join(request, 0);
      assert.ok(refused.kind === 'refused', 'refused');
      assert.equal(refused.code, 'already-waiting');
    }
  });

  test('new settings apply from then on, and no ticket loses its position', () => {
    const four = line('abcd');
    four.configure({ ...rules, maxLength: 2 });
    assert.equal(four.length, 4);
    assert.equal(four.join({ id: 'e' }, 0).kind, 'refused');
  });
});

describe('what clients are sent', () => {
  test('each new position is reported once, to those behind alone', () => {
    const five = line('abcde');
    assert.deepEqual(standings(five), []);
    five.leave('c');
    assert.deepEqual(standings(five), ['d3', 'e4']);
    assert.deepEqual(standings(five), []);
    five.admitted('a', 0);
    five.leave('b');
    join(five, 'f', 0);
    assert.deepEqual(standings(five), ['d1', 'e2']);
    five.leave('e');
    five.leave('d');
    assert.deepEqual(standings(five), ['f1']);
    five.leave('f');
    assert.deepEqual(standings(five), []);
    const again = line('abcde');
    again.leave('d');
    again.leave('b');
    assert.deepEqual(standings(again), ['c2', 'e3'], 'from the foremost on, in whatever order they left');
  });

  test('a client without a connection gets its position when it returns', () => {
    const three = line('abc');
    three.lost('b', 0);
    three.leave('a');
    assert.deepEqual(standings(three), ['c2']);
    assert.equal(three.resume('token of b', 1)?.position, 1);
    assert.deepEqual(standings(three), []);
  });
});

describe('lost connections', () => {
  test('with a token the position is reserved for 30 seconds, and then the ticket ends', () => {
    const three = line('abc');
    assert.equal(three.lost('a', 10), 'kept');
    assert.deepEqual(three.expire(39.9), []);
    assert.equal(three.resume('token of a', 39.9)?.position, 1);
    assert.deepEqual(three.expire(100), []);
    three.lost('a', 100);
    assert.equal(three.lost('a', 110), 'kept', 'lost once is lost');
    assert.equal(three.resume('token of a', 130), undefined, 'too late, though the line was not swept yet');
    assert.deepEqual(
      three.expire(130).map(({ id }) => id),
      ['a'],
    );
    assert.equal(order(three), 'bc');
  });

  test('without a token the ticket ends with the connection', () => {
    const one = new WaitingLine(rules);
    one.join({ id: 'a' }, 0);
    assert.equal(one.lost('a', 1), 'ended');
    assert.equal(one.lost('a', 1), undefined);
    assert.equal(one.length, 0);
  });

  test('an unknown token gives no position', () => {
    assert.equal(line('a').resume('token of b', 0), undefined);
  });

  test('the ticket of an absent client is not tried and delays no other, but still counts', () => {
    const two = line('ab');
    two.lost('a', 500);
    assert.equal(rest(two.pass(500, anywhere)), 'b');
    assert.equal(two.position('b'), 2);
    two.resume('token of a', 501);
    assert.equal(rest(two.pass(501, anywhere)), 'a');
  });
});

describe('which tickets may be tried', () => {
  test('tickets are tried in order, and one that fits may pass those that do not', () => {
    const three = line('abc');
    assert.equal(rest(three.pass(119.9, anywhere)), 'abc');
  });

  test('no ticket overtakes the first once that has waited two minutes', () => {
    const three = line('abc');
    assert.equal(rest(three.pass(120, anywhere)), 'a');
    three.leave('a');
    assert.equal(rest(three.pass(120, anywhere)), 'b');
  });

  test('a class with the same project is tried once, not three hundred times', () => {
    const same = new WaitingLine(rules);
    for (let i = 0; i < 300; i += 1) join(same, `${i},`, 0, { project: 'same' });
    let looked = 0;
    const pass = same.pass(1, () => {
      looked += 1;
      return everywhere;
    });
    assert.equal(rest(pass), '0,');
    assert.equal(looked, 1);
  });

  test('as many clients of a class are tried as find a place, and one more', () => {
    const same = new WaitingLine(rules);
    for (const id of 'abcd') join(same, id, 0, { project: 'same', labels: { x: '1', y: '2' } });
    join(same, 'e', 0, { project: 'same', labels: { y: '2', x: '1' } });
    join(same, 'f', 0, { project: 'same' });
    const pass = same.pass(1, anywhere);
    for (const id of 'ab') {
      assert.equal(pass.next()?.ticket.id, id);
      same.admitted(id, 1);
    }
    assert.equal(rest(pass), 'cf', 'labels belong to the want, in any order');
  });

  test('a ticket for which no server is available now is not tried and delays no other, however long it waits', () => {
    const two = line('ab');
    const none: Candidates = { tiers: [] };
    assert.equal(rest(two.pass(900, ({ project }) => (project === 'project of a' ? none : everywhere))), 'b');
  });

  test('the servers of a ticket that may not be overtaken are reserved for it, and those behind are tried on their others', () => {
    const five = line('abcde');
    const of = projects({ a: [['1'], ['2']], b: [['3']], c: [['2', '4'], ['5']], d: [['4']], e: [['2'], ['1']] });
    assert.deepEqual(turns(five.pass(120, of)), ['a 1,2', 'b 3', 'c 4,5'], 'c may not be passed either, and e is left nothing');
    assert.deepEqual(turns(five.pass(119, of)), ['a 1,2', 'b 3', 'c 2,4,5', 'd 4', 'e 2,1']);
  });

  test('several clients that may not be overtaken have different servers reserved', () => {
    const two = line('ab');
    for (const id of 'cdef') join(two, id, 60);
    const of = projects({ a: [['1']], b: [['2']], c: [['1', '2']], d: [['1', '2', '3']], e: [['2', '3']], f: [['1', '2']] });
    assert.deepEqual(turns(two.pass(120, of)), ['a 1', 'b 2', 'd 3', 'e 3'], 'and who has waited less keeps nothing');
    const walk = two.pass(120, of);
    assert.equal(walk.next()?.ticket.id, 'a');
    two.admitted('a', 120);
    assert.deepEqual(turns(walk), ['b 2', 'c 1', 'd 1,3', 'e 3', 'f 1'], 'what a does not need any more is open to the others');
  });

  test('a server that comes up during a pause of the walk is reserved for tickets that may not be overtaken, though they were not tried there', () => {
    const three = line('abc');
    let cameUp = false;
    const [before, after]: Candidates[] = [{ tiers: [['1']] }, { tiers: [['1', '2']] }];
    const of = () => (cameUp ? after : before);
    const pass = three.pass(120, of, 1);
    assert.equal(pass.next()?.ticket.id, 'a');
    assert.equal(pass.next(), undefined);
    cameUp = true;
    assert.deepEqual([pass.next(), pass.next(), pass.next()], [undefined, undefined, undefined]);
    assert.ok(pass.ended, 'b and c were held back');
    assert.deepEqual(turns(three.pass(121, of)), ['a 1,2']);
  });

  test('a ticket that no server will ever take is handed out, so that its client gets an answer', () => {
    const two = line('ab');
    assert.equal(rest(two.pass(900, ({ project }) => (project === 'project of b' ? undefined : everywhere))), 'ab');
  });

  test('a walk survives whatever happens to the line between two steps', () => {
    const eight = line('abcdefgh');
    const pass = eight.pass(1, anywhere);
    assert.equal(pass.next()?.ticket.id, 'a');
    for (const id of 'abd') eight.leave(id);
    assert.equal(pass.next()?.ticket.id, 'c');
    eight.leave('c');
    eight.leave('e');
    eight.lost('f', 1);
    assert.equal(pass.next()?.ticket.id, 'g');
    eight.leave('h');
    eight.leave('g');
    join(eight, 'i', 1);
    join(eight, 'j', 1);
    assert.equal(rest(pass), 'ij');
    assert.equal(pass.next(), undefined);
  });

  test('kinds that have left do not end a walk early', () => {
    const three = line('abc');
    const pass = three.pass(1, anywhere);
    pass.next();
    assert.equal(pass.next()?.ticket.id, 'b');
    three.leave('a');
    assert.equal(rest(pass), 'c');
  });

  test('a new request may be tried at once unless a ticket of its kind waits, or one that may not be overtaken', () => {
    const two = line('ab');
    const full = () => false;
    const yes = { kind: 'yes', candidates: everywhere };
    assert.deepEqual(two.mayBackfill({ project: 'other' }, 119, anywhere, full), yes);
    assert.equal(two.mayBackfill({ project: 'project of b' }, 119, anywhere, full).kind, 'no');
    assert.equal(two.mayBackfill({ project: 'other' }, 120, anywhere, full).kind, 'no');
    const apart = ({ project }: Want): Candidates => ({ tiers: [[project === 'other' ? 'x' : 'y']] });
    assert.equal(two.mayBackfill({ project: 'other' }, 120, apart, full).kind, 'yes');
    two.lost('a', 120);
    two.lost('b', 120);
    assert.deepEqual(
      two.mayBackfill({ project: 'project of b' }, 120, anywhere, full),
      yes,
      'no client is there to be overtaken',
    );
    assert.equal(new WaitingLine(rules).mayBackfill({}, 0, anywhere, full).kind, 'yes');
  });

  test('a new request may be tried on the servers that are not reserved', () => {
    const two = line('ab');
    const of = projects({ a: [['1']], b: [['1', '2']], new: [['1', '3'], ['4']] });
    const passing = (now: number, fits: string) =>
      two.mayBackfill({ project: 'project of new' }, now, of, (_, { tiers }) => tiers.flat().some((id) => fits.includes(id)));
    assert.deepEqual(passing(120, ''), { kind: 'yes', candidates: { tiers: [['3'], ['4']] } });
    assert.deepEqual(passing(119, ''), { kind: 'yes', candidates: { tiers: [['1', '3'], ['4']] } });
    assert.equal(passing(120, '1').kind, 'line-first', 'a has room now');
    assert.equal(passing(120, '2').kind, 'yes', 'b is about to take a server that the newcomer cannot use');
    assert.equal(passing(119, '2').kind, 'line-first', 'b has room now, and wants what the newcomer wants');
    const others = projects({ a: [['1']], b: [['1', '2', '3']], new: [['3']] });
    const fits = (_: Want, { tiers }: Candidates) => tiers.flat().includes('1');
    const third = two.mayBackfill({ project: 'project of new' }, 120, others, fits);
    assert.equal(third.kind, 'line-first', 'nothing is kept for a, who has room now, so that b may have it too');
  });

  test('a new request does not wait for a ticket that is held back from all servers they share', () => {
    const one = line('a');
    join(one, 'b', 60);
    const of = projects({ a: [['1']], b: [['1']], new: [['1', '2']] });
    const fits = ({ project }: Want) => project === 'project of b';
    assert.deepEqual(one.mayBackfill({ project: 'project of new' }, 120, of, fits), {
      kind: 'yes',
      candidates: { tiers: [['2']] },
    });
    assert.equal(one.mayBackfill({ project: 'project of b' }, 120, of, fits).kind, 'no', 'one who wants the same comes first');
  });

  test('a new request comes after any ticket that fits now and would take a server from it', () => {
    const two = line('ab');
    const room = () => true;
    const passing = (project: string, now: number, of: (want: Want) => Candidates, fits: (want: Want) => boolean) =>
      two.mayBackfill({ project }, now, of, fits).kind;
    assert.equal(passing('other', 1, anywhere, room), 'line-first');
    assert.equal(passing('project of b', 1, anywhere, room), 'line-first');
    const onlyB = ({ project }: Want) => project === 'project of b';
    assert.equal(passing('other', 1, anywhere, onlyB), 'line-first');
    assert.equal(passing('other', 120, anywhere, onlyB), 'no', 'a is overdue and holds both back');
    const apart = ({ project }: Want): Candidates => ({ tiers: [[project === 'other' ? 'x' : 'y']] });
    assert.equal(passing('other', 1, apart, room), 'yes');
  });

  test('a new client examines one ticket of each kind, however many of them may not be overtaken', () => {
    const same = new WaitingLine(rules);
    for (let i = 0; i < 300; i += 1) join(same, String(i), 0, { project: 'same' });
    let looked = 0;
    const apart = ({ project }: Want): Candidates => {
      looked += 1;
      return { tiers: [[project ?? '']] };
    };
    assert.equal(same.mayBackfill({ project: 'other' }, 500, apart, () => false).kind, 'yes');
    assert.equal(looked, 2);
  });

  test('a long walk pauses after each stretch, continues where it was, and looks at every ticket once', () => {
    const long = new WaitingLine({ ...rules, maxLength: 10_000, maxPerAddress: 10_000 });
    for (let i = 0; i < 2500; i += 1) long.join({ id: String(i), project: `project ${i}` }, 0);
    let looked = 0;
    const pass = long.pass(
      1,
      () => {
        looked += 1;
        return everywhere;
      },
      1000,
    );
    const stretches: number[] = [];
    const tried: string[] = [];
    while (!pass.ended) {
      for (let turn = pass.next(); turn !== undefined; turn = pass.next()) tried.push(turn.ticket.id);
      stretches.push(looked);
      // During the pause one leaves that was not reached, and one that was.
      if (stretches.length === 1) for (const id of ['999', '1500']) long.leave(id);
    }
    assert.deepEqual(stretches, [1000, 2000, 2499]);
    assert.deepEqual(
      tried,
      Array.from({ length: 2500 }, (_, i) => String(i)).filter((id) => id !== '1500'),
    );
  });

  test('a walk in which no ticket may be tried pauses too', () => {
    const long = new WaitingLine({ ...rules, maxLength: 10_000, maxPerAddress: 10_000 });
    for (let i = 0; i < 2500; i += 1) long.join({ id: String(i), project: `project ${i}` }, 0);
    let looked = 0;
    const pass = long.pass(
      500,
      () => {
        looked += 1;
        return everywhere;
      },
      1000,
    );
    assert.equal(pass.next()?.ticket.id, '0');
    assert.equal(pass.next(), undefined);
    assert.equal(looked, 1000);
    assert.equal(pass.ended, false);
  });
});

describe('estimates', () => {
  test('they come from admissions of clients that waited', () => {
    const many = new WaitingLine(rules);
    for (let i = 0; i < 9; i += 1) join(many, String(i), 0);
    for (let i = 0; i < 3; i += 1) assert.equal(many.admitted(String(i), (i + 1) * 10)?.id, String(i));
    assert.equal(many.estimate(4, 30)?.likely, 40);
    join(many, 'x', 30);
    many.admitted('x', 30.5);
    many.leave('5');
    assert.equal(many.estimate(4, 30)?.likely, 40);
  });

  test('a time with an empty line does not slow the estimate', () => {
    const some = line('abcd');
    for (const [index, id] of ['a', 'b', 'c'].entries()) some.admitted(id, (index + 1) * 10);
    some.leave('d');
    assert.equal(some.estimate(1, 400)?.likely, 10);
    join(some, 'e', 500);
    some.admitted('e', 512);
    join(some, 'f', 520);
    assert.deepEqual(some.estimate(1, 525), { from: 7.5, to: 12.5, likely: 10 });
  });

  test('a ticket that left before being admitted is not an admission', () => {
    const one = line('a');
    one.leave('a');
    assert.equal(one.admitted('a', 10), undefined);
  });
});

describe('over a restart', () => {
  const saved = (id: string, waited: number, more: Partial<SavedTicket> = {}): SavedTicket => ({
    ...{ id, token: `token of ${id}`, waited },
    ...more,
  });
  const ages = (tickets: readonly Ticket[], now: number) => tickets.map(({ id, joinedAt }) => [id, now - joinedAt]);

  test('order, ages and requests are restored, and each client has 30 seconds to return', () => {
    const after = new WaitingLine(rules);
    const want = { address: '192.0.2.1', clientId: 'me', project: 'p', labels: { room: 'B12' } };
    const { tickets, problems } = after.restore([saved('a', 104, want), saved('b', 84), saved('c', 64)], 5);
    assert.deepEqual(problems, []);
    assert.deepEqual(tickets[0], { id: 'a', token: 'token of a', ...want, joinedAt: -99, lostAt: 5 });
    assert.deepEqual(ages(tickets, 5), [
      ['a', 104],
      ['b', 84],
      ['c', 64],
    ]);
    assert.equal(order(after), 'abc');
    assert.equal(after.resume('token of b', 34.9)?.position, 2);
    assert.deepEqual(
      after.expire(35).map(({ id }) => id),
      ['a', 'c'],
    );
  });

  test('a first client that had waited two minutes before the restart may still not be overtaken', () => {
    const after = new WaitingLine(rules);
    after.restore([saved('a', 120), saved('b', 100), saved('c', 80)], 5);
    for (const id of 'abc') after.resume(`token of ${id}`, 6);
    assert.equal(rest(after.pass(6, anywhere)), 'a');
  });

  test('tickets over a limit are left out, and no ticket has waited longer than one before it', () => {
    const after = new WaitingLine({ ...rules, maxLength: 4 });
    const line = [saved('a', 50), saved('i', 80), saved('a', 10), saved('j', 20), saved('k', 1), saved('l', 1)];
    const { tickets, problems } = after.restore(line, 100);
    assert.deepEqual(ages(tickets, 100), [
      ['a', 50],
      ['i', 50],
      ['j', 20],
      ['k', 1],
    ]);
    assert.deepEqual(problems, ['a ticket was left out: already-waiting', 'a ticket was left out: waiting-line-full']);
  });
});

/** What the line is compared with: a list, and no cleverness. */
interface Modelled {
  readonly ticket: Ticket;
  told: number;
  lostAt: number | undefined;
}

const KINDS = ['p', 'q', 'r', 's', 't', undefined];
const SERVERS: Record<string, Candidates> = {
  p: { tiers: [['1'], ['2']] },
  q: { tiers: [['2']] },
  r: { tiers: [['3']] },
  s: { tiers: [] },
  t: { tiers: [['2', '3']] },
  '': { tiers: [['1', '2', '3']] },
};
const serversOf = ({ project = '' }: Want): Candidates | undefined => SERVERS[project];

type Command =
  | { readonly do: 'join'; readonly project: string | undefined; readonly resumable: boolean; readonly address: string }
  | { readonly do: 'leave' | 'admit' | 'lose' | 'resume'; readonly which: number }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'pass'; readonly room: number }
  | { readonly do: 'tell' }
  | { readonly do: 'restart' };

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('join' as const),
      project: fc.constantFrom(...KINDS),
      resumable: fc.boolean(),
      address: fc.constantFrom('x', 'y'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('leave' as const, 'admit' as const, 'lose' as const, 'resume' as const),
      which: fc.nat(20),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(1, 10, 29, 31, 60) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), room: fc.nat(31) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('tell' as const, 'tell' as const, 'restart' as const) }) },
);

class Model {
  line: WaitingLine;
  list: Modelled[] = [];
  now = 0;
  count = 0;
  readonly ended = new Set<string>();
  readonly limits: WaitingRules = { maxLength: 12, maxPerAddress: 8, resume: 30, passing: 120 };

  constructor() {
    this.line = new WaitingLine(this.limits);
  }

  run(what: Command): void {
    if (what.do === 'join') this.join(what);
    else if (what.do === 'wait') this.now += what.seconds;
    else if (what.do === 'pass') this.pass(what.room);
    else if (what.do === 'tell') this.tell();
    else if (what.do === 'restart') this.restart();
    else this.one(what.do, this.list[what.which % Math.max(1, this.list.length)]);
  }

  join({ project, resumable, address }: Extract<Command, { do: 'join' }>): void {
    const id = String(this.count++);
    const joined = this.line.join(
      { id, address, ...(project !== undefined && { project }), ...(resumable && { token: `t${id}` }) },
      this.now,
    );
    const isFull = this.list.length >= this.limits.maxLength;
    const own = this.list.filter(({ ticket }) => ticket.address === address);
    const isMuch = own.length >= this.limits.maxPerAddress;
    const lost = own.filter(({ lostAt }) => lostAt !== undefined);
    if (joined.kind === 'refused') {
      assert.equal(joined.code, isFull ? 'waiting-line-full' : 'too-many-waiting');
      assert.ok(isFull || (isMuch && lost.length === 0), 'refused for a reason');
      return;
    }
    assert.ok(!isFull, 'within the limit');
    const displaced = lost.find(({ ticket }) => ticket.id === joined.displaced?.id);
    assert.equal(displaced !== undefined, isMuch, 'within the limit of the address');
    if (displaced !== undefined) {
      for (const { lostAt = 0 } of lost) assert.ok(lostAt >= (displaced.lostAt ?? 0), 'no client is away for longer');
      this.end(displaced);
    }
    this.list.push({ ticket: joined.ticket, told: joined.position, lostAt: undefined });
    assert.equal(joined.position, this.list.length);
  }

  one(what: 'leave' | 'admit' | 'lose' | 'resume', entry: Modelled | undefined): void {
    if (entry === undefined) return;
    const { id, token } = entry.ticket;
    if (what === 'leave') {
      assert.equal(this.line.leave(id)?.id, id);
      this.end(entry);
    } else if (what === 'admit') {
      assert.equal(this.line.admitted(id, this.now)?.id, id);
      this.end(entry);
    } else if (what === 'lose') {
      assert.equal(this.line.lost(id, this.now), token === undefined ? 'ended' : 'kept');
      if (token === undefined) this.end(entry);
      else entry.lostAt ??= this.now;
    } else if (token !== undefined) {
      const back = this.line.resume(token, this.now);
      const isLate = entry.lostAt !== undefined && this.now - entry.lostAt >= this.limits.resume;
      assert.equal(back?.ticket.id, isLate ? undefined : id);
      if (back === undefined) return;
      entry.lostAt = undefined;
      entry.told = back.position;
      assert.equal(back.position, this.list.indexOf(entry) + 1);
    }
  }

  end(entry: Modelled): void {
    const { id } = entry.ticket;
    assert.ok(!this.ended.has(id), 'a ticket ends once');
    this.ended.add(id);
    this.list.splice(this.list.indexOf(entry), 1);
    for (const again of [
      this.line.leave(id),
      this.line.admitted(id, this.now),
      this.line.lost(id, this.now),
      this.line.position(id),
    ])
      assert.equal(again, undefined);
  }

  /** `room` says by its bits which wants find a place, and one place each is given. */
  pass(room: number): void {
    const places = new Map(['p', 'q', 'r', 't', ''].map((kind, bit) => [kind, (room >> bit) & 1]));
    const walk = this.line.pass(this.now, serversOf);
    const unfit = new Set<string>();
    const kept = new Set<string>();
    for (const entry of [...this.list]) {
      const { project: kind = '', joinedAt, id } = entry.ticket;
      const servers = SERVERS[kind]?.tiers.flat() ?? [];
      if (entry.lostAt !== undefined || unfit.has(kind)) continue;
      const open = servers.filter((server) => !kept.has(server));
      if (open.length > 0) {
        const turn = walk.next();
        assert.deepEqual([turn?.ticket.id, turn?.candidates?.tiers.flat()], [id, open], 'the next that may be tried, and where');
        if ((places.get(kind) ?? 0) > 0) {
          places.set(kind, 0);
          this.one('admit', entry);
          continue;
        }
      }
      unfit.add(kind);
      if (this.now - joinedAt >= this.limits.passing) for (const server of servers) kept.add(server);
    }
    assert.equal(walk.next(), undefined);
  }

  tell(): void {
    const expected = this.list.flatMap((entry, index) =>
      entry.lostAt === undefined && entry.told !== index + 1 ? [`${entry.ticket.id}: ${index + 1}`] : [],
    );
    assert.deepEqual(
      this.line.changes().map(({ ticket, position }) => `${ticket.id}: ${position}`),
      expected,
    );
    this.list.forEach((entry, index) => {
      if (entry.lostAt === undefined) entry.told = index + 1;
    });
  }

  restart(): void {
    const saved = [...this.line.tickets()].flatMap(({ token, joinedAt, lostAt: _, ...want }) =>
      token === undefined ? [] : [{ ...want, token, waited: this.now - joinedAt }],
    );
    const ages = this.list.map(({ ticket }) => this.now - ticket.joinedAt);
    const kept = this.list
      .map((entry, index) => ({ entry, age: ages[index] ?? 0 }))
      .filter(({ entry }) => entry.ticket.token !== undefined);
    this.now = 3;
    this.line = new WaitingLine(this.limits);
    const { tickets } = this.line.restore(saved, this.now);
    assert.deepEqual(
      tickets.map((ticket) => [ticket.id, this.now - ticket.joinedAt]),
      kept.map(({ entry, age }) => [entry.ticket.id, age]),
    );
    this.list = tickets.map((ticket) => ({ ticket, told: 0, lostAt: this.now }));
  }

  check(): void {
    const over = this.list.filter(({ lostAt }) => lostAt !== undefined && this.now - lostAt >= this.limits.resume);
    assert.deepEqual(new Set(this.line.expire(this.now).map(({ id }) => id)), new Set(over.map(({ ticket }) => ticket.id)));
    for (const entry of over) this.end(entry);
    assert.equal(this.line.length, this.list.length);
    assert.deepEqual(
      [...this.line.tickets()].map(({ id }) => id),
      this.list.map(({ ticket }) => ticket.id),
    );
    this.list.forEach(({ ticket }, index) => assert.equal(this.line.position(ticket.id), index + 1));
  }
}

test('whatever happens to it, the line behaves like a plain list that obeys the rules', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      const model = new Model();
      for (const what of commands) {
        model.run(what);
        model.check();
      }
    }),
    { numRuns: 1000 },
  );
});

/** Sessions that differ in size and in the servers that may run them, which overlap in part. */
const SIZES: Readonly<Record<string, number>> = { all: 1, large: 2, left: 1, right: 2, middle: 1, third: 3 };
const WANTED: Readonly<Record<string, Candidates>> = {
  all: { tiers: [['1', '2'], ['3']] },
  large: { tiers: [['1', '2'], ['3']] },
  left: { tiers: [['1', '2']] },
  right: { tiers: [['3'], ['2']] },
  middle: { tiers: [['2']] },
  third: { tiers: [['3']] },
};
const sizeOf = ({ project = '' }: Want) => SIZES[project] ?? 0;
const wanted = ({ project = '' }: Want) => WANTED[project];
const serversFor = (want: Want) => wanted(want)?.tiers.flat() ?? [];

test('no server that a ticket of two minutes wants goes to a later one, and every other server stays open, in any history', () => {
  const step = fc.record({
    arrivals: fc.array(fc.constantFrom(...Object.keys(SIZES)), { maxLength: 2 }),
    freed: fc.record({ 1: fc.constantFrom(0, 0, 1, 2), 2: fc.constantFrom(0, 0, 1, 2), 3: fc.constantFrom(0, 0, 0, 1, 3) }),
    lost: fc.option(fc.nat(20), { freq: 8 }),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (steps) => {
      const many = new WaitingLine({ ...rules, passing: 30 });
      const room = new Map(['1', '2', '3'].map((server) => [server, 0]));
      const placeFor = (want: Want, servers: readonly string[]) =>
        servers.find((server) => (room.get(server) ?? 0) >= sizeOf(want));
      const fits = (want: Want, { tiers }: Candidates) => placeFor(want, tiers.flat()) !== undefined;
      let [now, count] = [0, 0];
      /** What those in front of a ticket, or in front of a newcomer, are sure to get. */
      const keptBefore = (ticket?: Ticket) => {
        const line = [...many.tickets()];
        const before = line.slice(0, ticket === undefined ? line.length : line.indexOf(ticket));
        const overdue = before.filter(({ joinedAt, lostAt }) => lostAt === undefined && now - joinedAt >= 30);
        return new Set(overdue.flatMap(serversFor));
      };
      for (const { arrivals, freed, lost } of steps) {
        now += 5;
        for (const project of arrivals) join(many, String(count++), now, { project });
        for (const [server, more] of Object.entries(freed)) room.set(server, (room.get(server) ?? 0) + more);
        if (lost !== null) many.lost(String(lost), now);
        many.expire(now);

        const pass = many.pass(now, wanted);
        for (let turn = pass.next(); turn !== undefined; turn = pass.next()) {
          const { ticket, candidates } = turn;
          const server = placeFor(ticket, candidates?.tiers.flat() ?? []);
          if (server === undefined) continue;
          assert.ok(!keptBefore(ticket).has(server), 'not on a server that is kept');
          const equal = [...many.tickets()].find(({ project, lostAt }) => lostAt === undefined && project === ticket.project);
          assert.equal(equal, ticket, 'in order among equals');
          room.set(server, (room.get(server) ?? 0) - sizeOf(ticket));
          many.admitted(ticket.id, now);
        }

        const present = [...many.tickets()].filter(({ lostAt }) => lostAt === undefined);
        for (const ticket of present) {
          const kept = keptBefore(ticket);
          const open = serversFor(ticket).filter((server) => !kept.has(server));
          assert.equal(placeFor(ticket, open), undefined, `${ticket.id} waits beside room that no other client is sure to get`);
        }
        for (const project of Object.keys(SIZES)) {
          const kept = keptBefore();
          const open = serversFor({ project }).filter((server) => !kept.has(server));
          const waits = present.some((ticket) => ticket.project === project);
          const passing = many.mayBackfill({ project }, now, wanted, fits);
          const place = passing.kind === 'yes' ? placeFor({ project }, passing.candidates.tiers.flat()) : undefined;
          assert.equal(place, waits ? undefined : placeFor({ project }, open), 'a newcomer gets what is open, and no more');
          assert.notEqual(passing.kind, 'line-first', 'the line was just served');
        }
      }
    }),
    { numRuns: 300 },
  );
});
