import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { endpointOf } from '../../test/support/endpoints.ts';
import { inTime } from '../../test/support/eventually.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { MemoryStore } from '../../test/support/memory-store.ts';
import { DEFAULT_ALLOCATION } from '../core/allocation-parameters.ts';
import { Ledger } from '../core/ledger.ts';
import type { AnswerView } from '../core/monitor-view.ts';
import { LONGEST_PROJECT_URL } from '../core/project.ts';
import { Router, type RoutedServer } from '../core/routing.ts';
import { TokenBuckets } from '../core/token-bucket.ts';
import { WaitingLine } from '../core/waiting-line.ts';
import type { Bookings } from '../ports.ts';
import { createMemoryBookings } from '../stores/memory.ts';
import { Admission } from './admission.ts';
import type { Outcome, Waiter, Waiting } from './session-request.ts';
import { Decisions } from './decisions.ts';
import { startRemembering } from './remembering.ts';

const ANSWERS: readonly AnswerView[] = [
  { id: 'b:2000', address: 'b/2000', chosen: false, eligible: true, code: 'has-room', reason: 'It could take the session.' },
];
const PROJECT = 'https://github.com/school/robots/blob/main/worlds/arm.wbt';

/** An admission over servers with these loads. */
function start(
  loads: Readonly<Record<string, number>>,
  {
    rules = {},
    slow = false,
    otherHosts = () => [],
    maxSessions,
    mostWaiting = 100,
    mostWaitingOfOne = 10,
  }: {
    rules?: Partial<RoutedServer>;
    slow?: boolean;
    otherHosts?: () => readonly string[];
    maxSessions?: number;
    mostWaiting?: number;
    mostWaitingOfOne?: number;
  } = {},
) {
  const clock = new FakeClock(0);
  const ledger = new Ledger(DEFAULT_ALLOCATION, () => 0.5);
  const router = new Router();
  const line = new WaitingLine({ maxLength: mostWaiting, maxPerAddress: mostWaitingOfOne, resume: 30, passing: 120 });
  const decisions = new Decisions();
  const memory = createMemoryBookings(ledger, clock);
  let attempts = 0;
  /** A store that is shared with others takes its time. */
  const bookings: Bookings = slow
    ? {
        ...memory,
        book: async (request, candidates) => {
          const outcome = await memory.book(request, candidates);
          await clock.sleep(0.1);
          return outcome;
        },
      }
    : {
        ...memory,
        book: (request, candidates) => {
          attempts += 1;
          return memory.book(request, candidates);
        },
      };
  let ids = 0;
  const log = new MemoryLog();
  const endpoints = new Map(Object.keys(loads).map((id) => [id, endpointOf(id)]));
  const admission = new Admission({
    ...{ clock, router, line, decisions, bookings, log },
    newId: () => `id${(ids += 1)}`,
    buckets: new TokenBuckets({ burst: 5, rate: 1, mostKeys: 100 }),
    settings: () => ({ handOutSsl: true, otherHosts: otherHosts(), settle: 60, resume: 30 }),
    endpoint: (id) => endpoints.get(id),
    explain: () => ({ summary: '2 servers: both are at 97 %', answers: ANSWERS }),
    costOf: (project) => ledger.fleetCost(project?.key).value,
  });
  const report = (id: string, load: number, own: Partial<RoutedServer> = {}) => {
    ledger.report(id, load, clock.now());
    router.update({ id, state: 'available', load, shareIdleTime: 0, labels: {}, ...rules, ...own });
    admission.refresh();
  };
  for (const [id, load] of Object.entries(loads)) {
    ledger.add(id, { weight: 1, ...(maxSessions !== undefined && { maxSessions }) }, clock.now());
    report(id, load);
  }
  return { clock, ledger, router, line, decisions, admission, log, report, attempts: () => attempts };
}

const from = (limitKey?: string) => ({ address: { address: limitKey ?? '127.0.0.1', limitKey } });

const HEAVY = 'https://github.com/school/heavy';

/** A session of that project costs five times as much as others. */
function learnHeavy(ledger: Ledger, clock: FakeClock): void {
  const fleet = { cost: 8, log: Math.log(8), variance: 0.01 };
  const projects = [['github.com/school/heavy', Math.log(5), 0.01]];
  const saved = { format: 'session-server/ledger', version: 1, savedAt: clock.wallTime(), allocations: 0, fleet };
  ledger.restore({ ...saved, servers: [], projects, bookings: [] }, clock.now(), clock.wallTime());
}

/** A client that waits and remembers what it was told. */
class Client implements Waiter {
  readonly places: number[] = [];
  last: Waiting | undefined;
  outcome: Outcome | undefined;
  readonly #gone = new AbortController();
  readonly gone = this.#gone.signal;
  readonly keepPlace: boolean;
  readonly keepOutcome?: true;

  constructor(keepPlace = false, keepOutcome = false) {
    this.keepPlace = keepPlace;
    if (keepOutcome) this.keepOutcome = true;
  }
  changed(waiting: Waiting): void {
    this.last = waiting;
    this.places.push(waiting.position);
  }
  settled(outcome: Outcome): void {
    assert.equal(this.outcome, undefined, 'settled twice');
    this.outcome = outcome;
  }
  leave(): void {
    this.#gone.abort();
  }
  get url(): string | undefined {
    return this.outcome?.kind === 'allocated' ? this.outcome.url : undefined;
  }
}

test('a request gets the URL of the least loaded server, and the next one counts it', async () => {
  const { admission } = start({ 'a:2000': 20, 'b:2000': 25 });
  const urls: (string | undefined)[] = [];
  for (let i = 0; i < 3; i += 1) {
    const outcome = await admission.ask(from());
    urls.push(outcome.kind === 'allocated' ? outcome.url : undefined);
  }
  assert.deepEqual(urls, ['wss://a:2000', 'wss://b:2000', 'wss://a:2000']);
  await admission.stop();
});

test('thirty at once on three idle servers are ten, ten and ten', async () => {
  const { admission } = start({ 'a:2000': 0, 'b:2000': 0, 'c:2000': 0 });
  const outcomes = await Promise.all(Array.from({ length: 30 }, () => admission.ask(from())));
  const counts = new Map<string, number>();
  for (const outcome of outcomes)
    if (outcome.kind === 'allocated') counts.set(outcome.server, (counts.get(outcome.server) ?? 0) + 1);
  assert.deepEqual([...counts.values()], [10, 10, 10]);
  await admission.stop();
});

test('when nobody has room the refusal says why, and availability is no', async () => {
  const { admission, decisions } = start({ 'a:2000': 97 });
  assert.equal(admission.availability.value, false);
  assert.deepEqual(await admission.ask(from()), { kind: 'refused', code: 'no-room', reason: '2 servers: both are at 97 %' });
  assert.equal(decisions.last()[0]?.code, 'no-room');
  await admission.stop();
});

test('a project URL that breaks a rule is refused with the name of the rule, and never waits', async () => {
  const { admission, line } = start({ 'a:2000': 97 });
  const client = new Client();
  await admission.wait({ ...from(), projectUrl: 'https://github.com/a/b/blob/main/worlds/$(reboot).wbt' }, client);
  assert.ok(client.outcome?.kind === 'refused' && client.outcome.code.startsWith('project-'));
  assert.equal(line.length, 0);
  await admission.stop();
});

test('of a project URL that cannot be read the text as it was sent is written down, and nothing that servers would say to another request', async () => {
  const { admission, decisions } = start({ 'a:2000': 20 });
  for (const projectUrl of ['https://webots.cloud/run?url=x', 'https://github.com/a/b/blob/main/worlds/my world.wbt', '<b>']) {
    await admission.ask({ ...from(), projectUrl });
    const [decision] = decisions.last();
    assert.deepEqual([decision?.kind, decision?.project, decision?.others], ['refused', projectUrl, []]);
  }
  await admission.ask({ ...from(), projectUrl: `https://github.com/${'\u{1f916}'.repeat(5000)}` });
  const project = decisions.last()[0]?.project ?? '';
  assert.match(project, /^https:\/\/github\.com\/\u{1f916}{100,}…$/u, 'cut between two characters');
  assert.ok(project.length <= LONGEST_PROJECT_URL, `${project.length} characters`);
  await admission.ask({ ...from(), projectUrl: PROJECT });
  assert.deepEqual(decisions.last()[0]?.others, ANSWERS);
  await admission.stop();
});

test('the log names who was refused for ever and for what, but nobody for whom there is only no room', async () => {
  const { admission, log, decisions } = start({ 'a:2000': 97 });
  await admission.ask({ ...from('192.0.2.7'), projectUrl: 'http://github.com/a/b' });
  await admission.ask({ ...from('192.0.2.8'), projectUrl: PROJECT });
  const refusals = log.lines.filter(({ message }) => message.includes('refused'));
  assert.equal(refusals.length, 1);
  assert.match(refusals[0]?.message ?? '', /^192\.0\.2\.7 is refused a session: The project URL must begin with https:/);
  const { id } = decisions.last()[1] ?? {};
  assert.deepEqual(refusals[0]?.fields, { id, code: 'project-scheme', project: 'http://github.com/a/b' });
  await admission.stop();
});

test('a project that no server may ever run is refused at once, not queued', async () => {
  const { admission, line } = start({ 'a:2000': 97 }, { rules: { allowedRepositories: ['github.com/other'] } });
  const client = new Client();
  await admission.wait({ ...from(), projectUrl: PROJECT }, client);
  assert.equal(client.outcome?.kind === 'refused' && client.outcome.code, 'no-server-allows-repository');
  assert.equal(line.length, 0);
  await admission.stop();
});

test('a project that can never run is refused before anything is waited for: no booking, no line, no turn of the loop', async () => {
  const { admission, line, attempts } = start({ 'a:2000': 20 }, { rules: { allowedRepositories: ['github.com/other'] } });
  const client = new Client();
  const waiting = admission.wait({ ...from(), projectUrl: PROJECT }, client);
  assert.equal(client.outcome?.kind === 'refused' && client.outcome.code, 'no-server-allows-repository');
  assert.deepEqual([attempts(), line.length], [0, 0]);
  await waiting;
  await admission.stop();
});

test('whoever waits for a project that may not run any more is refused with the rule that says so', async () => {
  const hosts = ['git.example.org'];
  const { admission, clock, report } = start({ 'a:2000': 97 }, { otherHosts: () => [...hosts] });
  const client = new Client();
  await admission.wait({ ...from(), projectUrl: 'https://git.example.org/owner/robots' }, client);
  assert.deepEqual(client.places, [1]);
  hosts.length = 0;
  await clock.advance(20);
  report('a:2000', 10);
  await clock.advance(1);
  assert.equal(client.outcome?.kind === 'refused' && client.outcome.code, 'project-host');
  await admission.stop();
});

test('a place from before a restart whose project may not run any more is refused, and not sent to any server', async () => {
  const before = start({ 'a:2000': 97 }, { otherHosts: () => ['git.example.org'] });
  const first = new Client(true);
  await before.admission.wait({ ...from(), projectUrl: 'https://git.example.org/owner/robots' }, first);
  const saved: unknown = JSON.parse(JSON.stringify(before.admission.save()));
  await before.admission.stop();

  const after = start({ 'a:2000': 10 });
  after.admission.restore(saved);
  const again = new Client(true);
  await after.admission.wait({ ...from(), resumeToken: first.last?.resumeToken ?? '' }, again);
  await after.clock.advance(2);
  assert.equal(again.outcome?.kind === 'refused' && again.outcome.code, 'project-host');
  assert.equal(after.ledger.account('a:2000')?.bookings, 0);
  await after.admission.stop();
});

test('a line of hundreds of different projects is walked in stretches, and others have their turn in between', async () => {
  const { admission, clock, attempts } = start({ 'a:2000': 89 }, { mostWaiting: 2000 });
  const clients = Array.from({ length: 700 }, () => new Client());
  for (const [i, client] of clients.entries())
    await admission.wait({ ...from(), projectUrl: `https://github.com/student${i}/homework` }, client);
  await clock.advance(1);
  const before = attempts();
  admission.refresh();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(attempts() - before, 500);
  // Whoever asks meanwhile does not wait for the end of the walk.
  assert.equal((await admission.ask(from())).kind, 'refused');
  await clock.advance(0);
  assert.equal(attempts() - before, 700);
  await admission.stop();
});

test('clients wait in order, hear their place when it changes and only then, and get the URL in turn', async () => {
  const { admission, clock, report } = start({ 'a:2000': 97 });
  const clients = [new Client(), new Client(), new Client()];
  for (const client of clients) await admission.wait(from(), client);
  assert.deepEqual(
    clients.map(({ places }) => places),
    [[1], [2], [3]],
  );
  clients[1]!.leave();
  await clock.advance(0);
  assert.deepEqual(clients[2]!.places, [3, 2]);
  await clock.advance(20);
  report('a:2000', 75);
  await clock.advance(0);
  assert.equal(clients[0]!.url, 'wss://a:2000');
  assert.equal(clients[2]!.outcome, undefined);
  assert.equal(clients[2]!.last?.position, 1);
  await admission.stop();
});

test('whoever asks without waiting does not overtake those who wait', async () => {
  const { admission, clock, ledger, router } = start({ 'a:2000': 97 });
  const client = new Client();
  await admission.wait(from(), client);
  await clock.advance(20);
  ledger.report('a:2000', 75, clock.now());
  router.update({ id: 'a:2000', state: 'available', load: 75, shareIdleTime: 0, labels: {} });
  assert.equal((await admission.ask(from())).kind, 'refused');
  await clock.advance(1);
  assert.equal(client.outcome?.kind, 'allocated');
  await admission.stop();
});

test('when room came by time alone, whoever waits gets it before somebody who asks for another project', async () => {
  const { admission, clock, report, line } = start({ 'a:2000': 0 }, { maxSessions: 1 });
  await clock.advance(0.5);
  assert.equal((await admission.ask(from())).kind, 'allocated');
  await clock.advance(0.1);
  const head = new Client();
  await admission.wait(from(), head);
  await clock.advance(1499);
  report('a:2000', 0);
  await clock.advance(0.95);
  assert.equal(head.outcome, undefined);
  const newcomer = await admission.ask({ ...from(), projectUrl: PROJECT });
  assert.equal(head.url, 'wss://a:2000');
  assert.equal(newcomer.kind, 'refused');
  assert.equal(line.length, 0);
  await admission.stop();
});

test('who is held back because others wait is told so, and not that there is no room', async () => {
  const { admission, clock, ledger, report, decisions } = start({ 'a:2000': 97 });
  learnHeavy(ledger, clock);
  await admission.wait({ ...from(), projectUrl: HEAVY }, new Client());
  await clock.advance(130);
  report('a:2000', 70);
  await clock.advance(20);
  report('a:2000', 70);
  assert.equal(admission.availability.value, false);
  const reason = 'There is room, but it is kept for somebody who waits; take a place in line, or try again in a moment.';
  assert.deepEqual(await admission.ask(from()), { kind: 'refused', code: 'others-wait', reason });
  assert.equal(decisions.last()[0]?.code, 'others-wait');
  assert.deepEqual(admission.prospect(), { kind: 'others-wait', reason });
  await admission.stop();
});

test('somebody who waits for one server closes no others, however long it takes', async () => {
  const { admission, clock, report } = start({ 'a:2000': 85, 'b:2000': 5 });
  const school = { allowedRepositories: ['github.com/school'] };
  const others = { blockedRepositories: ['github.com/school'] };
  const reportAll = () => {
    report('a:2000', 85, school);
    report('b:2000', 5, others);
  };
  reportAll();
  const student = new Client();
  await admission.wait({ ...from(), projectUrl: PROJECT }, student);
  await clock.advance(130);
  reportAll();
  assert.deepEqual(student.places, [1]);
  assert.equal(admission.availability.value, true);
  assert.deepEqual(admission.prospect(), { kind: 'open' });
  const outcome = await admission.ask(from());
  assert.equal(outcome.kind === 'allocated' && outcome.server, 'b:2000');
  const waiter = new Client();
  await admission.wait(from(), waiter);
  assert.equal(waiter.url, 'wss://b:2000');
  await admission.stop();
});

test('the server that somebody waits for who may not be passed is handed to nobody else, though others pass by it', async () => {
  const { admission, clock, ledger, report, decisions } = start({ 'a:2000': 97, 'b:2000': 97 });
  learnHeavy(ledger, clock);
  const labelled = { labels: { room: 'B12' } };
  report('a:2000', 97, labelled);
  const head = new Client();
  await admission.wait({ ...from(), projectUrl: HEAVY, labels: { room: 'B12' } }, head);
  await clock.advance(130);
  report('a:2000', 70, labelled);
  assert.equal(admission.availability.value, false);
  assert.equal(admission.prospect().kind, 'others-wait');
  const outcome = await admission.ask(from());
  assert.equal(outcome.kind === 'refused' && outcome.code, 'others-wait');
  const clients = [new Client(), new Client()];
  for (const client of clients) await admission.wait(from(), client);
  await clock.advance(2);
  assert.deepEqual([head.url, clients[0]!.url], [undefined, undefined], 'a has room for a light session, and is kept');
  assert.equal(admission.availability.value, false);
  report('b:2000', 75);
  await clock.advance(2);
  assert.deepEqual([head.url, clients[0]!.url, clients[1]!.url], [undefined, 'wss://b:2000', undefined]);
  assert.match(
    decisions.last()[0]?.reason ?? '',
    /^b:2000 had the most room, apart from servers that are kept for those who wait:/,
  );
  report('a:2000', 20, labelled);
  await clock.advance(20);
  report('a:2000', 20, labelled);
  await clock.advance(2);
  assert.equal(head.url, 'wss://a:2000');
  await admission.stop();
});

test('a decision says of a server for one repository that it had the most room of those', async () => {
  const { admission, decisions } = start({ 'a:2000': 20 }, { rules: { allowedRepositories: ['github.com/school'] } });
  await admission.ask({ ...from(), projectUrl: PROJECT });
  assert.equal(
    decisions.last()[0]?.reason,
    'a:2000 had the most room of the servers for this repository: load 20 %, with this session 28 %.',
  );
  await admission.stop();
});

test('a client that goes away between being told that there is no room and taking its place is written down as gone', async () => {
  const { admission, clock, line, decisions } = start({ 'a:2000': 97 }, { slow: true });
  const client = new Client();
  const waiting = admission.wait(from(), client);
  client.leave();
  await clock.advance(1);
  await waiting;
  assert.equal(line.length, 0);
  assert.deepEqual(
    decisions.last().map(({ kind, code }) => [kind, code]),
    [['abandoned', 'client-gone']],
  );
  await admission.stop();
});

test('a client that goes away while its place is being booked leaves no booking behind', async () => {
  const { admission, clock, ledger, decisions } = start({ 'a:2000': 0 }, { slow: true });
  const client = new Client();
  const waiting = admission.wait(from(), client);
  client.leave();
  await clock.advance(1);
  await waiting;
  assert.equal(client.outcome, undefined);
  assert.equal(ledger.account('a:2000')?.bookings, 0);
  assert.equal(decisions.last()[0]?.kind, 'abandoned');
  await admission.stop();
});

test('a client in line that goes away while its place is being booked leaves no booking behind', async () => {
  const { admission, clock, ledger, line, report } = start({ 'a:2000': 97 }, { slow: true });
  const client = new Client();
  const waiting = admission.wait(from(), client);
  await clock.advance(20);
  await waiting;
  report('a:2000', 10);
  await clock.advance(0.05);
  client.leave();
  await clock.advance(1);
  assert.equal(ledger.account('a:2000')?.bookings, 0);
  assert.equal(line.length, 0);
  await admission.stop();
});

test('a place with a resume token is kept over a lost connection, and ends after thirty seconds', async () => {
  const { admission, clock, line } = start({ 'a:2000': 97 });
  const first = new Client(true);
  await admission.wait(from(), first);
  const behind = new Client(true);
  await admission.wait(from(), behind);
  const token = first.last?.resumeToken ?? '';
  first.leave();
  await clock.advance(20);
  const again = new Client(true);
  await admission.wait({ ...from(), resumeToken: token }, again);
  assert.deepEqual(again.places, [1]);
  assert.deepEqual(behind.places, [2]);
  again.leave();
  await clock.advance(32);
  assert.equal(line.length, 1);
  assert.deepEqual(behind.places, [2, 1]);
  await admission.stop();
});

test('a page that was closed does not keep out the one that is opened instead, and is written down as gone', async () => {
  const { admission, decisions } = start({ 'a:2000': 97 }, { mostWaitingOfOne: 2 });
  const school = () => ({ address: { address: '192.0.2.1', limitKey: '192.0.2.1' } });
  const pages = [new Client(true), new Client(true), new Client(true)];
  await admission.wait(school(), pages[0]!);
  await admission.wait(school(), pages[1]!);
  pages[0]!.leave();
  await admission.wait(school(), pages[2]!);
  assert.deepEqual(pages[2]!.places, [2]);
  assert.equal(pages[1]!.last?.position, 1);
  assert.equal(admission.waiting, 2);
  assert.deepEqual(
    decisions.last().map(({ kind, code }) => [kind, code]),
    [['abandoned', 'client-gone']],
  );
  await admission.stop();
});

test('a place continued on another connection is taken from the first', async () => {
  const { admission } = start({ 'a:2000': 97 });
  const first = new Client(true);
  await admission.wait(from(), first);
  const second = new Client(true);
  await admission.wait({ ...from(), resumeToken: first.last?.resumeToken ?? '' }, second);
  assert.equal(first.outcome?.kind === 'refused' && first.outcome.code, 'continued-elsewhere');
  first.leave();
  assert.equal(admission.waiting, 1);
  await admission.stop();
});

describe('a place that came free for a connection that was dead by then', () => {
  /** Somebody waited, got the server, and did not hear of it. */
  async function unheard() {
    const started = start({ 'a:2000': 97 });
    const { admission, clock, report } = started;
    const dead = new Client(true, true);
    await admission.wait({ ...from(), projectUrl: PROJECT }, dead);
    await clock.advance(20);
    report('a:2000', 75);
    await clock.advance(1);
    assert.equal(dead.url, 'wss://a:2000');
    const show = async (client: Client, projectUrl = PROJECT) => {
      await admission.wait({ ...from(), projectUrl, resumeToken: dead.last?.resumeToken ?? '' }, client);
      return client;
    };
    const bookings = () => started.ledger.account('a:2000')?.bookings;
    return { ...started, dead, show, bookings, token: dead.last?.resumeToken ?? '' };
  }

  test('is told to whoever shows the token, once more and once more, and booked once', async () => {
    const { admission, clock, dead, show, bookings } = await unheard();
    await clock.advance(4);
    for (let i = 0; i < 2; i += 1) assert.deepEqual((await show(new Client(true, true))).outcome, dead.outcome);
    assert.equal(bookings(), 1);
    assert.equal(admission.waiting, 0);
    await admission.stop();
  });

  test('is told no more when the client is known to have heard it, nor after the time that a place is kept', async () => {
    const first = await unheard();
    first.admission.heard(first.token);
    assert.deepEqual((await first.show(new Client(true))).places, [1]);
    await first.admission.stop();
    const second = await unheard();
    await second.clock.advance(30);
    assert.deepEqual((await second.show(new Client(true))).places, [1]);
    await second.admission.stop();
  });

  test('is given back when its holder wants something else, or nothing any more', async () => {
    const first = await unheard();
    const other = await first.show(new Client(true), 'https://github.com/bob/two');
    assert.equal(other.url, 'wss://a:2000');
    assert.equal(first.bookings(), 1, 'the new one');
    await first.admission.stop();
    const second = await unheard();
    assert.equal(await second.admission.giveUp(second.token), true);
    assert.equal(second.bookings(), 0);
    assert.equal(await second.admission.giveUp(second.token), false);
    await second.admission.stop();
  });
});

test('a resume token shown with another project is a new request, and the old place is given up', async () => {
  const { admission, clock, report } = start({ 'a:2000': 97, 'b:2000': 97 });
  const [alice, bob] = ['https://github.com/alice/one/blob/main/worlds/w.wbt', 'https://github.com/bob/two'];
  const reportAll = (load: number) => {
    report('a:2000', load, { allowedRepositories: ['github.com/alice'] });
    report('b:2000', load, { allowedRepositories: ['github.com/bob'] });
  };
  reportAll(97);
  const first = new Client(true);
  await admission.wait({ ...from(), projectUrl: alice }, first);
  const resumeToken = first.last?.resumeToken ?? '';
  const same = new Client(true);
  await admission.wait({ ...from(), projectUrl: alice.replace('https:', 'HTTPS:'), resumeToken }, same);
  assert.equal(same.last?.resumeToken, resumeToken, 'however it is spelled');
  const other = new Client(true);
  await admission.wait({ ...from(), projectUrl: bob, resumeToken }, other);
  assert.equal(same.outcome?.kind === 'refused' && same.outcome.code, 'given-up');
  assert.notEqual(other.last?.resumeToken, resumeToken);
  assert.equal(admission.waiting, 1);
  reportAll(10);
  await clock.advance(20);
  reportAll(10);
  await clock.advance(1);
  assert.equal(other.url, 'wss://b:2000');
  await admission.stop();
});

test('places with tokens survive a restart in their order', async () => {
  const before = start({ 'a:2000': 97 });
  const clients = [new Client(true), new Client(true)];
  for (const client of clients) await before.admission.wait(from(), client);
  const saved: unknown = JSON.parse(JSON.stringify(before.admission.save()));
  await before.admission.stop();

  const after = start({ 'a:2000': 97 });
  after.admission.restore(saved);
  const second = new Client(true);
  await after.admission.wait({ ...from(), resumeToken: clients[1]!.last?.resumeToken ?? '' }, second);
  assert.deepEqual(second.places, [2]);
  await after.admission.stop();
});

test('places survive a restart although nobody came or went for a long time before it, also when the program was killed', async () => {
  for (const end of ['stopped', 'killed']) {
    const before = start({ 'a:2000': 97 });
    const { clock } = before;
    const store = new MemoryStore();
    const remembering = startRemembering({
      ...{ clock, log: new MemoryLog(), store },
      documents: [{ name: 'line', version: () => before.admission.version, save: () => before.admission.save() }],
    });
    const client = new Client(true);
    await before.admission.wait(from(), client);
    await clock.advance(675);
    assert.ok(store.writes >= 10 && store.writes <= 13, `${store.writes} times written: once a minute`);
    const killedWith = await store.read('line');
    await before.admission.stop();
    await remembering.stop();
    const saved = end === 'killed' ? killedWith : await store.read('line');
    const { savedAt } = saved as { savedAt: number };
    assert.ok(clock.wallTime() - savedAt <= (end === 'killed' ? 75 : 0), `${end}: saved ${clock.wallTime() - savedAt} s ago`);

    const after = start({ 'a:2000': 97 });
    await after.clock.advance(675);
    after.admission.restore(saved);
    const again = new Client(true);
    await after.admission.wait({ ...from(), resumeToken: client.last?.resumeToken ?? '' }, again);
    assert.equal(after.line.longestWait(after.clock.now()), 675, end);
    await after.admission.stop();
  }
});

test('a held request is answered as soon as there is room', async () => {
  const { admission, clock, report } = start({ 'a:2000': 97 });
  const held = admission.hold(from(), 40, new AbortController().signal);
  await clock.advance(20);
  report('a:2000', 10);
  await clock.advance(1);
  const outcome = await held;
  assert.equal(outcome.kind, 'allocated');
  await admission.stop();
});

test('a held request is told its position when the time is up, its place is free, and it was refused', async () => {
  const { admission, clock, decisions } = start({ 'a:2000': 97 });
  const ahead = new Client();
  await admission.wait(from(), ahead);
  const held = admission.hold(from(), 5, new AbortController().signal);
  await clock.advance(6);
  const outcome = await held;
  assert.equal(outcome.kind === 'refused' && outcome.position, 2);
  assert.equal(admission.waiting, 1);
  assert.equal(decisions.last().length, 1);
  const { kind, code, waited, reason } = decisions.last()[0]!;
  assert.deepEqual([kind, code, waited], ['refused', 'no-room', 5]);
  assert.equal(reason, '2 servers: both are at 97 %; none had room while the request was held.');
  await admission.stop();
});

test('who waits at the end of the program is not said to have gone away', async () => {
  const { admission, decisions } = start({ 'a:2000': 97 });
  const client = new Client();
  await admission.wait(from(), client);
  const stopped = admission.stop();
  const written = () => decisions.last().map(({ kind, code, reason }) => [kind, code, reason]);
  const ends = [['abandoned', 'stopped', 'The session server stopped while the client waited.']];
  assert.deepEqual(written(), ends, 'before decisions are saved for the last time');
  // Its connection is closed by the program.
  client.leave();
  await stopped;
  assert.deepEqual(written(), ends);
});

test('a held request that is answered because the program ends was refused, and its client did not go away', async () => {
  const { admission, line, decisions } = start({ 'a:2000': 97 });
  const held = admission.hold(from(), 20, new AbortController().signal);
  await new Promise(setImmediate);
  assert.equal(line.length, 1);
  await admission.stop();
  const outcome = await held;
  assert.deepEqual(outcome.kind === 'refused' && [outcome.code, outcome.position], ['no-room', 1]);
  assert.deepEqual(
    decisions.last().map(({ kind, code }) => [kind, code]),
    [['refused', 'no-room']],
  );
  assert.equal(line.length, 0);
});

test('a request that comes while the program ends is not held', async () => {
  const { admission, line, decisions } = start({ 'a:2000': 97 });
  const early = admission.hold(from(), 20, new AbortController().signal);
  const stopped = admission.stop();
  const late = admission.hold(from(), 20, new AbortController().signal);
  for (const held of [early, late]) {
    const outcome = await inTime('the answer', held);
    assert.deepEqual(outcome.kind === 'refused' && outcome.code, 'no-room');
  }
  await stopped;
  assert.deepEqual(
    decisions.last().map(({ kind, code }) => [kind, code]),
    [
      ['refused', 'no-room'],
      ['refused', 'no-room'],
    ],
  );
  assert.equal(line.length, 0);
});

test('a held request for which there was room, but kept for somebody, is told and written down as that', async () => {
  const { admission, clock, ledger, report, decisions } = start({ 'a:2000': 97 });
  learnHeavy(ledger, clock);
  await admission.wait({ ...from(), projectUrl: HEAVY }, new Client());
  await clock.advance(130);
  report('a:2000', 70);
  const held = admission.hold(from(), 5, new AbortController().signal);
  await clock.advance(6);
  const outcome = await held;
  assert.deepEqual(outcome.kind === 'refused' && [outcome.code, outcome.position], ['others-wait', 2]);
  const { code, reason } = decisions.last()[0]!;
  assert.equal(code, 'others-wait');
  assert.match(reason, /^There is room, but it is kept for somebody who waits;/);
  await admission.stop();
});

test('a held request whose client goes away gives its place up', async () => {
  const { admission, clock, decisions } = start({ 'a:2000': 97 });
  const gone = new AbortController();
  const held = admission.hold(from(), 50, gone.signal);
  await clock.advance(1);
  gone.abort();
  await clock.advance(0);
  assert.equal((await held).kind, 'refused');
  assert.equal(admission.waiting, 0);
  assert.deepEqual(
    decisions.last().map(({ kind, waited }) => [kind, waited]),
    [['abandoned', 1]],
  );
  await admission.stop();
});

test('one address may ask in a burst, then once a second; others and this machine are not touched', async () => {
  const { admission, clock } = start({ 'a:2000': 0 });
  for (let i = 0; i < 5; i += 1) await admission.ask(from('192.0.2.1'));
  const refused = await admission.ask(from('192.0.2.1'));
  assert.ok(refused.kind === 'refused' && refused.code === 'too-many-requests' && refused.retryAfter === 1);
  assert.notEqual((await admission.ask(from('192.0.2.2'))).kind === 'refused' && 'too-many-requests', 'too-many-requests');
  for (let i = 0; i < 20; i += 1)
    assert.notEqual((await admission.ask(from())).kind === 'refused' && 'limited', 'too-many-requests');
  await clock.advance(1);
  const outcome = await admission.ask(from('192.0.2.1'));
  assert.ok(outcome.kind === 'allocated' || outcome.code === 'no-room');
  await admission.stop();
});

test('of a flood one refusal a minute and address is written down, and all are counted', async () => {
  const { admission, clock, decisions } = start({ 'a:2000': 97 });
  const noted = () => decisions.last().filter(({ code }) => code === 'too-many-requests');
  for (let i = 0; i < 40; i += 1) await admission.ask({ ...from('192.0.2.1'), projectUrl: PROJECT });
  assert.equal(noted().length, 1);
  assert.equal(noted()[0]?.project, PROJECT);
  assert.equal(decisions.refusedLastHour(clock.now()), 40);
  for (let i = 0; i < 6; i += 1) await admission.ask(from('192.0.2.2'));
  assert.equal(noted().length, 2, 'another address is another decision');
  await clock.advance(61);
  for (let i = 0; i < 70; i += 1) await admission.ask(from('192.0.2.1'));
  assert.equal(noted().length, 3);
  await admission.stop();
});

test('a flood from many addresses leaves room for the refusals that people ask about', async () => {
  const { admission, decisions } = start({ 'a:2000': 97 });
  for (let address = 0; address < 30; address += 1)
    for (let i = 0; i < 6; i += 1) await admission.ask(from(`192.0.2.${address}`));
  assert.equal(decisions.last().filter(({ code }) => code === 'too-many-requests').length, 20);
  await admission.stop();
});

test('an address that was given much and uses none of it is told so, and whoever waits behind it is served', async () => {
  const loads = Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`s${i}:2000`, 0]));
  const { admission, ledger, clock } = start(loads);
  const everywhere = { tiers: [Object.keys(loads)] };
  for (let i = 0; i < 40; i += 1) ledger.book({ id: '', address: '192.0.2.1' }, everywhere, clock.now());
  const refused = await admission.ask({ ...from('192.0.2.1'), counted: true });
  assert.ok(refused.kind === 'refused' && refused.code === 'too-many-requests' && refused.retryAfter === 10);
  const greedy = new Client();
  await admission.wait({ ...from('192.0.2.1'), counted: true }, greedy);
  assert.deepEqual(greedy.places, [1], 'it may wait');
  assert.equal((await admission.ask(from('192.0.2.2'))).kind, 'allocated');
  const patient = new Client();
  await admission.wait(from('192.0.2.3'), patient);
  assert.equal(patient.outcome?.kind, 'allocated');
  await clock.advance(61);
  assert.equal(greedy.outcome?.kind, 'allocated', 'after a minute what it did not use counts no longer');
  greedy.leave();
  patient.leave();
  await admission.stop();
});

test('freed load lets the next one in at once', async () => {
  const { admission, clock } = start({ 'a:2000': 75 });
  const first = await admission.ask(from());
  assert.ok(first.kind === 'allocated');
  const client = new Client();
  await admission.wait(from(), client);
  assert.deepEqual(client.places, [1]);
  await admission.release(first.bookingId);
  await clock.advance(0);
  assert.equal(client.outcome?.kind, 'allocated');
  await admission.stop();
});

test('a client whose connection is lost while its place is being booked keeps its place, and the booking is free', async () => {
  const { admission, clock, ledger, line, report } = start({ 'a:2000': 97 }, { slow: true });
  const client = new Client(true);
  const waiting = admission.wait(from(), client);
  await clock.advance(20);
  await waiting;
  report('a:2000', 10);
  await clock.advance(0.05);
  client.leave();
  await clock.advance(0.5);
  assert.equal(ledger.account('a:2000')?.bookings, 0);
  assert.equal(line.length, 1);
  const again = new Client(true);
  await admission.wait({ ...from(), resumeToken: client.last?.resumeToken ?? '' }, again);
  await clock.advance(2);
  assert.equal(again.outcome?.kind, 'allocated');
  await admission.stop();
});

test('availability moves on to another server with room when the first one loses its own, and ends with the last', async () => {
  const { admission, report, router } = start({ 'a:2000': 20, 'b:2000': 20, 'c:2000': 20 });
  assert.equal(admission.availability.value, true);
  report('a:2000', 94);
  assert.equal(admission.availability.value, true);
  router.update({ id: 'b:2000', state: 'down', shareIdleTime: 0, labels: {} });
  admission.refresh();
  assert.equal(admission.availability.value, true);
  router.remove('c:2000');
  admission.refresh();
  assert.equal(admission.availability.value, false);
  report('b:2000', 20);
  assert.equal(admission.availability.value, true);
  await admission.stop();
});
