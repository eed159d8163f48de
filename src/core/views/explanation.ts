/**
 * Why a server was or was not chosen: for each server a code and a sentence, and all of them in one sentence for the person who waits: *3 servers: one is
 * draining, one does not allow this repository, one is at 97%*.
 *
 * Permanent reasons come before temporary ones: a student whose project may never run on a server should not wait for its load to fall.
 */
import type { ServerId } from '../fleet/endpoint.ts';
import type { ServerState } from '../fleet/fleet.ts';
import type { AnswerView } from './monitor-view.ts';
import { durationInWords, onOneLine } from '../incidents/notification-text.ts';
import type { Admittance } from '../fleet/routing.ts';

/** Whether the ledger would book the session on a server, with the figures that say why. */
export type Verdict =
  | { readonly kind: 'fits'; readonly predicted: number /* percent, with the session */ }
  | {
      readonly kind: 'no-room';
      readonly predicted: number /* percent, with the session */;
      readonly target: number; /* percent */
      /** Percent: the highest of the recent reports, when there would be room by the last one. */
      readonly peak?: number;
    }
  | { readonly kind: 'session-limit'; readonly sessions: number }
  | { readonly kind: 'suspected' }
  /** Its load is at or above a threshold that is newer than its last report. */
  | { readonly kind: 'full' }
  /** It has not answered for too long, or never. */
  | { readonly kind: 'closed' };

/** What is known of one server at the time of the question. */
export interface Situation {
  readonly id: ServerId;
  /** As the operator wrote it. */
  readonly address: string;
  readonly state: ServerState;
  /** Seconds since the state began. */
  readonly since: number;
  /** Percent, as last reported. */
  readonly load?: number | undefined;
  /** Percent: a report at or above it makes the server full. */
  readonly loadThreshold: number;
  /** Load points that were handed out and that its reports do not show yet. */
  readonly booked: number;
  /** Whether the server's rules admit the project and the labels: `Router.admittance`. */
  readonly admittance: Admittance;
  /** Percent. */
  readonly shareIdleTime: number;
  /** The next session on it belongs to a client that waits for it. */
  readonly reserved?: boolean;
  /** The room on it is held for people of a class. */
  readonly held?: boolean;
  /** An operator drained it, whatever its state is. */
  readonly drain?:
    | {
        readonly by: string;
        /** What the operator wrote. */
        readonly reason?: string;
        /** Seconds until it is offered again by itself; absent: until resumed. */
        readonly left?: number;
      }
    | undefined;
  /** What went wrong with the last probe, a sentence. */
  readonly failure?: string | undefined;
  /** Why clients cannot connect to it although it reports a load, a sentence. */
  readonly loadOnly?: string | undefined;
  /** What the ledger says. It counts only for servers that are available and admit the project. */
  readonly verdict?: Verdict | undefined;
}

interface Wording {
  /** About one server. */
  readonly sentence: (situation: Situation) => string;
  /** After the number of servers with this answer: for one, and for several. */
  readonly phrase: readonly [one: string, many: string] | ((group: readonly Situation[], is: 'is' | 'are') => string);
}

/** By code of the answer, in the order of the summary: servers that can take the session come first. */
const WORDINGS = {
  chosen: { sentence: () => 'It got the session.', phrase: ['was chosen', 'were chosen'] },
  first: {
    sentence: (situation) => `It would get the session${withSession(situation)}.`,
    phrase: ['would get the session', 'would get the session'],
  },
  'has-room': {
    sentence: (situation) => `It has room${withSession(situation)}, but another server would be less loaded.`,
    phrase: ['has room', 'have room'],
  },
  'later-tier': {
    sentence: () => 'It could take the session, but servers dedicated to this repository come first.',
    phrase: ['could take it if the others were busy', 'could take it if the others were busy'],
  },
  'last-resort': {
    sentence: () => 'It was given sessions and still looks idle. It would get this one, because no other server has room.',
    phrase: (_, is) => `${is} suspected of failing and would be tried`,
  },
  draining: {
    sentence: ({ since, drain }) =>
      `It has been draining for ${durationInWords(since)}, so new sessions go elsewhere${drain === undefined ? '.' : `; ${drainInWords(drain)}`}`,
    phrase: (_, is) => `${is} draining`,
  },
  down: {
    sentence: ({ since, failure, drain }) =>
      `It has been down for ${durationInWords(since)}${because(failure)}${drain === undefined ? '' : `; also, ${drainInWords(drain)}`}`,
    phrase: (_, is) => `${is} down`,
  },
  unknown: {
    sentence: (situation) =>
      situation.loadOnly !== undefined
        ? `${situation.loadOnly.replace(/^it/, 'It')}.`
        : hasNeverAnswered(situation)
          ? 'It has not answered yet. Sessions go only to servers that are known to work.'
          : `It did not answer the last probe${because(situation.failure) || '.'}`,
    phrase: (group) => {
      const [has, does] = group.length === 1 ? ['has', 'does'] : ['have', 'do'];
      if (group.every(({ loadOnly }) => loadOnly !== undefined)) return `${group.length === 1 ? 'reports' : 'report'} load only`;
      return group.every(hasNeverAnswered) ? `${has} not answered yet` : `${does} not answer`;
    },
  },
  suspected: {
    sentence: () => 'It is on probation: it was given sessions and still looks idle, so it gets only one now and then.',
    phrase: (_, is) => `${is} suspected of failing`,
  },
  'other-labels': {
    sentence: () => 'It does not have the requested labels.',
    phrase: ['has other labels', 'have other labels'],
  },
  'blocked-repository': {
    sentence: () => 'It blocks this repository.',
    phrase: ['blocks this repository', 'block this repository'],
  },
  'other-repository': {
    sentence: () => 'It does not allow this repository.',
    phrase: ['does not allow this repository', 'do not allow this repository'],
  },
  'not-idle': {
    sentence: ({ load, booked, shareIdleTime }) =>
      `It is dedicated to other repositories and shares idle time only while its load is below ${percent(shareIdleTime)}${load === undefined ? '' : `; it is at ${loadWithBooked(load, booked)}`}.`,
    phrase: (_, is) => `${is} too busy to share idle time`,
  },
  'session-limit': {
    sentence: ({ verdict }) =>
      `It has reached its maximum number of sessions${verdict?.kind === 'session-limit' ? ` (${verdict.sessions})` : ''}.`,
    phrase: ['has reached its maximum number of sessions', 'have reached their maximum number of sessions'],
  },
  'no-room': {
    sentence: ({ verdict }) =>
      verdict?.kind === 'no-room'
        ? `It would be at ${percent(verdict.predicted)} with this session${verdict.peak === undefined ? '' : `, because it was at ${percent(verdict.peak)} a moment ago`}; sessions start only below ${percent(verdict.target)}.`
        : 'It has no room.',
    phrase: (group) => `${group.length === 1 ? 'has' : 'have'} no room${figures(group)}`,
  },
  full: {
    sentence: (situation) => {
      const { load } = situation;
      const state =
        load !== undefined && hasEased(situation)
          ? `was full until a moment ago and is now at ${percent(load)}`
          : `is ${load === undefined ? 'full' : `at ${percent(load)}`}`;
      return `It ${state}. New sessions start there once its load has stayed lower for a while.`;
    },
    phrase: (group, is) =>
      group.every(hasEased)
        ? `${is === 'is' ? 'was' : 'were'} full until a moment ago`
        : `${is} at ${span(group.map(({ load }) => load))}`,
  },
  kept: {
    sentence: () => 'It has room, but it is reserved for clients already waiting.',
    phrase: (_, is) => `${is} reserved for clients already waiting`,
  },
  held: {
    sentence: () => 'It has room, but it is held for a class.',
    phrase: ['has room that is held for a class', 'have room that is held for a class'],
  },
} as const satisfies Record<string, Wording>;

export type AnswerCode = keyof typeof WORDINGS;

/** Every code of an answer, in the order of the summary. */
export const ANSWER_CODES = Object.keys(WORDINGS) as readonly AnswerCode[];

const wordings: Readonly<Record<AnswerCode, Wording>> = WORDINGS;

export interface Explanation {
  /** One sentence without a full stop at its end, which a caller may continue. */
  readonly summary: string;
  /** In the order of the situations. */
  readonly answers: readonly AnswerView[];
}

/** `chosen` is the server that got the session, when one did; else `first` the one that would get it. */
export function explain(situations: readonly Situation[], chosen?: ServerId, first?: ServerId): Explanation {
  const best = bestTier(situations);
  const judged = situations.map((situation) => ({ situation, code: codeOf(situation, best, chosen, first) }));
  const answers = judged.map(({ situation, code }) => ({
    id: situation.id,
    address: situation.address,
    chosen: TAKES_IT.has(code),
    eligible: ELIGIBLE.has(code),
    code,
    reason: wordings[code].sentence(situation),
  }));
  return { summary: summary(judged), answers };
}

/** `one` to `twelve`, then figures. */
export function countInWords(count: number): string {
  return WORDS[count] ?? String(count);
}

const WORDS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve'];
/** It got the session, or would get it. */
const TAKES_IT: ReadonlySet<AnswerCode> = new Set(['chosen', 'first', 'last-resort'] as const);
const ELIGIBLE: ReadonlySet<AnswerCode> = new Set([...TAKES_IT, 'has-room', 'later-tier']);
const TIERS: readonly Admittance[] = ['dedicated', 'open', 'shared'];

interface Judged {
  readonly situation: Situation;
  readonly code: AnswerCode;
}

function codeOf(situation: Situation, best: number, chosen: ServerId | undefined, first: ServerId | undefined): AnswerCode {
  if (situation.id === chosen) return 'chosen';
  const obstacle = obstacleOf(situation);
  if (situation.id === first) {
    if (obstacle === undefined) return 'first';
    if (obstacle === 'suspected') return 'last-resort';
  }
  if (obstacle !== undefined) return obstacle;
  return TIERS.indexOf(situation.admittance) > best ? 'later-tier' : 'has-room';
}

function obstacleOf(situation: Situation): AnswerCode | undefined {
  const permanent = admittanceObstacle(situation.admittance) ?? stateObstacle(situation);
  if (permanent !== undefined) return permanent;
  const temporary = loadObstacle(situation);
  // Of interest only where there is room, as there is on a suspected one; elsewhere every client waits alike.
  if (situation.held === true && temporary === undefined) return 'held';
  return situation.reserved === true && (temporary === undefined || temporary === 'suspected') ? 'kept' : temporary;
}

function admittanceObstacle(admittance: Admittance): AnswerCode | undefined {
  if (admittance === 'blocked') return 'blocked-repository';
  return admittance === 'other-labels' || admittance === 'other-repository' ? admittance : undefined;
}

function stateObstacle({ state }: Situation): AnswerCode | undefined {
  return state === 'available' ? undefined : state;
}

function loadObstacle({ admittance, load, booked, shareIdleTime, verdict }: Situation): AnswerCode | undefined {
  // As in the routing: sessions that were handed out count before a report shows them.
  if (admittance === 'shared' && !(load !== undefined && load + booked < shareIdleTime)) return 'not-idle';
  if (verdict?.kind === 'closed') return 'unknown';
  return verdict === undefined || verdict.kind === 'fits' ? undefined : verdict.kind;
}

/** Index of the first tier that has room. Later ones are not used then. */
function bestTier(situations: readonly Situation[]): number {
  let best = TIERS.length;
  for (const situation of situations)
    if (obstacleOf(situation) === undefined) best = Math.min(best, TIERS.indexOf(situation.admittance));
  return best;
}

/** What the load would be with the session. */
function withSession({ verdict }: Situation): string {
  return verdict?.kind === 'fits' ? ` (${percent(verdict.predicted)} with this session)` : '';
}

function because(failure: string | undefined): string {
  return failure === undefined ? '' : `: ${onOneLine(failure)}`;
}

function loadWithBooked(load: number, booked: number): string {
  const [reported, predicted] = [percent(load), percent(load + booked)];
  return reported === predicted ? reported : `${reported}, and at ${predicted} with the sessions just handed out`;
}

/** Who, for how long, and why. */
function drainInWords({ by, reason, left }: NonNullable<Situation['drain']>): string {
  const end = left === undefined ? 'until it is resumed' : `for another ${durationInWords(Math.max(0, left))}`;
  return `${onOneLine(by)} drained it ${end}${reason === undefined ? '' : `: ${onOneLine(reason)}`}`;
}

function summary(judged: readonly Judged[]): string {
  if (judged.length === 0) return 'There is no simulation server here yet';
  const groups = new Map<AnswerCode, Situation[]>();
  for (const { situation, code } of judged) {
    const group = groups.get(code);
    if (group === undefined) groups.set(code, [situation]);
    else group.push(situation);
  }
  const phrases = ANSWER_CODES.flatMap((code) =>
    partsOf(groups.get(code) ?? []).map((group) => `${countInWords(group.length)} ${phraseOf(code, group)}`),
  );
  return `${judged.length} ${judged.length === 1 ? 'server' : 'servers'}: ${phrases.join(', ')}`;
}

/** Servers that still count as full although their load has fallen are counted apart: their load would explain nothing. */
function partsOf(group: readonly Situation[]): readonly (readonly Situation[])[] {
  const [eased, others] = [group.filter(hasEased), group.filter((situation) => !hasEased(situation))];
  return [others, eased].filter((part) => part.length > 0);
}

function hasNeverAnswered({ state, load, failure }: Situation): boolean {
  return state === 'unknown' && load === undefined && failure === undefined;
}

/** It counts as full although its last report was lower. */
function hasEased({ state, load, loadThreshold }: Situation): boolean {
  return state === 'full' && load !== undefined && load < loadThreshold;
}

/** What follows the number of servers with this answer. */
function phraseOf(code: AnswerCode, group: readonly Situation[]): string {
  const { phrase } = wordings[code];
  const isOne = group.length === 1;
  return typeof phrase === 'function' ? phrase(group, isOne ? 'is' : 'are') : phrase[isOne ? 0 : 1];
}

/** What the load of servers without room would be, and the limit, which is the same for all at one moment. */
function figures(group: readonly Situation[]): string {
  const verdicts = group.flatMap(({ verdict }) => (verdict?.kind === 'no-room' ? verdict : []));
  const [first] = verdicts;
  if (first === undefined) return '';
  return ` (${span(verdicts.map(({ predicted }) => predicted))} with one more; the limit is ${percent(first.target)})`;
}

/** `97%`, or `91 to 97%`. */
function span(values: readonly (number | undefined)[]): string {
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0) return 'the limit';
  let [min, max] = [Infinity, -Infinity];
  for (const value of known) [min, max] = [Math.min(min, value), Math.max(max, value)];
  const [from, to] = [Math.round(min), Math.round(max)];
  return from === to ? percent(to) : `${from} to ${percent(to)}`;
}

function percent(value: number): string {
  return `${Math.round(value)}%`;
}
