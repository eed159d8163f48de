/**
 * What turns change in the waiting line: a competition on twenty places, in which two of thirty teams ask for 25 sessions each. The line that ships, with
 * simulated clients.
 */
import { Turns } from '../src/core/queue/turns.ts';
import { WaitingLine } from '../src/core/queue/waiting-line.ts';

export interface TurnFigures {
  /** Mean wait in seconds of all clients but the two teams, and their 95th percentile. */
  readonly others: number;
  readonly others95: number;
  /** Mean wait in seconds of the two teams. */
  readonly greedy: number;
}

interface Arrival {
  readonly at: number;
  readonly key: string;
}

const PLACES = 20;
const SESSION = 1500;
const TEAMS = 28;
const ASKED_BY_GREEDY = 25;
const ANYWHERE = { tiers: [['fleet']] };
const RULES = { maxLength: 10_000, maxPerAddress: 10_000, resume: 30, passing: 120 };

/** Mean of so many competitions. */
export function competition(order: 'first' | 'turns', seeds: number): TurnFigures {
  const runs = Array.from({ length: seeds }, (_, seed) => oneCompetition(order, randomOf(seed + 1)));
  const mean = (of: (run: TurnFigures) => number) => runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
  return { others: mean((run) => run.others), others95: mean((run) => run.others95), greedy: mean((run) => run.greedy) };
}

/** Mean microseconds of a `join` to a line with 10,000 tickets of 1,000 keys. */
export function timeOfJoin(): number {
  const turns = new Turns();
  const line = new WaitingLine({ ...RULES, maxLength: 20_000 }, undefined, (turn) => turns.running(turn));
  for (let i = 0; i < 10_000; i += 1) line.join({ id: `${i}`, turn: `${i % 1000}` }, i);
  const rounds = 5000;
  const before = process.cpuUsage();
  for (let i = 0; i < rounds; i += 1) line.join({ id: `more ${i}`, turn: `${(i * 7) % 1000}` }, 10_000 + i);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / rounds;
}

function oneCompetition(order: 'first' | 'turns', random: () => number): TurnFigures {
  const turns = new Turns();
  const line = new WaitingLine(RULES, undefined, (turn) => turns.running(turn));
  const arrivals = arrivalsOf(random);
  const ends: { at: number; id: string; key: string }[] = [];
  const waits: { readonly wait: number; readonly isGreedy: boolean }[] = [];
  const keys = new Map<string, string>();
  let free = PLACES;
  const serve = (now: number) => {
    while (free > 0) {
      const ticket = line.pass(now, () => ANYWHERE).next()?.ticket;
      const key = ticket && keys.get(ticket.id);
      if (ticket === undefined || key === undefined) return;
      turns.began(key, ticket.id, Infinity);
      line.admitted(ticket.id, now);
      waits.push({ wait: now - ticket.joinedAt, isGreedy: key.startsWith('greedy') });
      ends.push({ at: now - SESSION * Math.log(1 - random()), id: ticket.id, key });
      ends.sort((a, b) => a.at - b.at);
      free -= 1;
    }
  };
  for (let next = arrivals.shift(), ids = 0; next !== undefined || ends.length > 0;) {
    const end = ends[0];
    if (next !== undefined && (end === undefined || next.at <= end.at)) {
      const id = `${(ids += 1)}`;
      keys.set(id, next.key);
      line.join({ id, ...(order === 'turns' && { turn: next.key }) }, next.at);
      serve(next.at);
      next = arrivals.shift();
    } else if (end !== undefined) {
      ends.shift();
      turns.ended(end.id);
      line.reorder(end.key);
      free += 1;
      serve(end.at);
    }
  }
  return figuresOf(waits);
}

/** The teams and a public come within half an hour, the two teams at the beginning. */
function arrivalsOf(random: () => number): Arrival[] {
  const arrivals: Arrival[] = [];
  for (const greedy of ['greedy 1', 'greedy 2'])
    for (let i = 0; i < ASKED_BY_GREEDY; i += 1) arrivals.push({ at: random() * 60, key: greedy });
  for (let team = 0; team < TEAMS; team += 1) arrivals.push({ at: 60 + random() * 1740, key: `team ${team}` });
  for (let person = 0; person < TEAMS; person += 1) arrivals.push({ at: random() * 1800, key: `person ${person}` });
  return arrivals.sort((a, b) => a.at - b.at);
}

function figuresOf(waits: readonly { readonly wait: number; readonly isGreedy: boolean }[]): TurnFigures {
  const of = (isGreedy: boolean) => waits.filter((one) => one.isGreedy === isGreedy).map(({ wait }) => wait);
  const others = of(false).sort((a, b) => a - b);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return { others: mean(others), others95: others[Math.floor(0.95 * others.length)] ?? 0, greedy: mean(of(true)) };
}

/** Mulberry32, as in the simulator of allocation policies. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
