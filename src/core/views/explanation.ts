/**
 * Why a server was or was not taken: for each server a code and a sentence, and the whole in one sentence for the person who waits: *3 servers: one
 * drains, one does not allow this repository, one is at 97 %*.
 *
 * Reasons that last are told before those that pass: whoever may never run something on a server should not wait for its load to fall.
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
  /** Nothing was heard of it for too long, or not at all. */
  | { readonly kind: 'closed' };

/** What is known of one server when somebody asks. */
export interface Situation {
  readonly id: ServerId;
  /** As the operator wrote it. */
  readonly address: string;
  readonly state: ServerState;
  /** Seconds since the state began. */
  readonly since: number;
  /** Percent, as last reported. */
  readonly load?: number | undefined;
  /** Percent: a report at or above it makes a server full. */
  readonly loadThreshold: number;
  /** Load points handed out that its reports do not show yet. */
  readonly booked: number;
  /** What the server's rules say to the project and the labels: `Router.admittance`. */
  readonly admittance: Admittance;
  /** Percent. */
  readonly shareIdleTime: number;
  /** The next place on it belongs to somebody who waits for it. */
  readonly kept?: boolean;
  /** Somebody drained it; whatever its state is. */
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
  /** What the ledger says; it counts only for servers that are available and admit the project. */
  readonly verdict?: Verdict | undefined;
}

/** Every code of an answer, those that can take the session first. */
export const ANSWER_CODES = [
  'chosen',
  'first',
  'has-room',
  'later-tier',
  'last-resort',
  'draining',
  'down',
  'unknown',
  'suspected',
  'other-labels',
  'blocked-repository',
  'other-repository',
  'not-idle',
  'session-limit',
  'no-room',
  'full',
  'kept',
] as const;

export type AnswerCode = (typeof ANSWER_CODES)[number];

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
    reason: sentence(code, situation),
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
  const lasting = neverOf(situation.admittance) ?? stateOf(situation);
  if (lasting !== undefined) return lasting;
  const passing = momentOf(situation);
  // Told only where there is room, as there is on a suspected one: else everybody waits for that alike.
  return situation.kept === true && (passing === undefined || passing === 'suspected') ? 'kept' : passing;
}

function neverOf(admittance: Admittance): AnswerCode | undefined {
  if (admittance === 'blocked') return 'blocked-repository';
  return admittance === 'other-labels' || admittance === 'other-repository' ? admittance : undefined;
}

function stateOf({ state }: Situation): AnswerCode | undefined {
  return state === 'available' ? undefined : state;
}

function momentOf({ admittance, load, booked, shareIdleTime, verdict }: Situation): AnswerCode | undefined {
  // As the routing has it: what was handed out counts before a report shows it.
  if (admittance === 'shared' && !(load !== undefined && load + booked < shareIdleTime)) return 'not-idle';
  if (verdict?.kind === 'closed') return 'unknown';
  return verdict === undefined || verdict.kind === 'fits' ? undefined : verdict.kind;
}

/** Index of the first tier that has room; later ones are not used then. */
function bestTier(situations: readonly Situation[]): number {
  let best = TIERS.length;
  for (const situation of situations)
    if (obstacleOf(situation) === undefined) best = Math.min(best, TIERS.indexOf(situation.admittance));
  return best;
}

function sentence(code: AnswerCode, situation: Situation): string {
  const { load, booked, shareIdleTime, drain, failure, since, verdict } = situation;
  switch (code) {
    case 'chosen':
      return 'It got the session.';
    case 'first':
      return `It comes first${verdict?.kind === 'fits' ? `, and would be at ${percent(verdict.predicted)} with the session` : ''}.`;
    case 'has-room':
      return `It has room${verdict?.kind === 'fits' ? `, and would be at ${percent(verdict.predicted)} with the session` : ''}; the server that would be at least comes first.`;
    case 'later-tier':
      return 'It could take the session, but servers that are there for this repository come first.';
    case 'last-resort':
      return 'It was given sessions and still looks idle; it would get this one, because no other server has room.';
    case 'draining':
      return `It has been draining for ${durationInWords(since)}, so new sessions go elsewhere${drain === undefined ? '.' : `; ${drainInWords(drain)}`}`;
    case 'down':
      return `It has been down for ${durationInWords(since)}${failure === undefined ? '' : `: ${onOneLine(failure)}`}${drain === undefined ? '' : `; besides, ${drainInWords(drain)}`}`;
    case 'unknown':
      if (isUnheard(situation)) return 'It has not answered yet; nobody is sent to a server that is not known to work.';
      return `It did not answer the last time it was asked${failure === undefined ? '.' : `: ${onOneLine(failure)}`}`;
    case 'suspected':
      return 'It was given sessions and still looks idle, so it gets only one now and then to prove itself.';
    case 'other-labels':
      return 'It does not have the labels that were asked for.';
    case 'blocked-repository':
      return 'It blocks this repository.';
    case 'other-repository':
      return 'It does not allow this repository.';
    case 'not-idle':
      return `It runs projects of other repositories, and shares idle time only while its load is below ${percent(shareIdleTime)}${load === undefined ? '' : `; it is at ${loadWithBooked(load, booked)}`}.`;
    case 'session-limit':
      return `It has as many sessions as it may have${verdict?.kind === 'session-limit' ? ` (${verdict.sessions})` : ''}.`;
    case 'no-room':
      return verdict?.kind === 'no-room'
        ? `It would be at ${percent(verdict.predicted)} with this session${verdict.peak === undefined ? '' : `, because it was at ${percent(verdict.peak)} a moment ago`}; sessions are handed out only below ${percent(verdict.target)}.`
        : 'It has no room.';
    case 'full':
      return load !== undefined && hasEased(situation)
        ? `It was full until a moment ago and is at ${percent(load)} now; it is offered again when its load has stayed lower for a while.`
        : `It is ${load === undefined ? 'full' : `at ${percent(load)}`}, and is offered again when its load has stayed lower for a while.`;
    case 'kept':
      return 'It has room, but it is kept for others, who wait already.';
  }
}

function loadWithBooked(load: number, booked: number): string {
  const [reported, predicted] = [percent(load), percent(load + booked)];
  return reported === predicted ? reported : `${reported}, and at ${predicted} with what was just handed out`;
}

/** Who, for how long, and why. */
function drainInWords({ by, reason, left }: NonNullable<Situation['drain']>): string {
  const end = left === undefined ? 'until somebody resumes it' : `for another ${durationInWords(Math.max(0, left))}`;
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
    partsOf(groups.get(code) ?? []).map((group) => `${countInWords(group.length)} ${phrase(code, group)}`),
  );
  return `${judged.length} ${judged.length === 1 ? 'server' : 'servers'}: ${phrases.join(', ')}`;
}

/** Servers that are full no longer but still count as it are told apart: a load at which nobody is full would explain nothing. */
function partsOf(group: readonly Situation[]): readonly (readonly Situation[])[] {
  const [eased, others] = [group.filter(hasEased), group.filter((situation) => !hasEased(situation))];
  return [others, eased].filter((part) => part.length > 0);
}

function isUnheard({ state, load, failure }: Situation): boolean {
  return state === 'unknown' && load === undefined && failure === undefined;
}

/** It counts as full, though its last report was lower. */
function hasEased({ state, load, loadThreshold }: Situation): boolean {
  return state === 'full' && load !== undefined && load < loadThreshold;
}

/** What stands behind the number of servers with this answer. */
function phrase(code: AnswerCode, group: readonly Situation[]): string {
  const one = group.length === 1;
  const is = one ? 'is' : 'are';
  switch (code) {
    case 'chosen':
      return one ? 'was chosen' : 'were chosen';
    case 'first':
      return 'would get the session';
    case 'has-room':
      return one ? 'has room' : 'have room';
    case 'later-tier':
      return 'could take it if the others were busy';
    case 'last-resort':
      return `${is} suspected of failing and would be tried`;
    case 'draining':
      return one ? 'drains' : 'drain';
    case 'down':
      return `${is} down`;
    case 'unknown':
      if (group.every(isUnheard)) return one ? 'has not answered yet' : 'have not answered yet';
      return one ? 'does not answer' : 'do not answer';
    case 'suspected':
      return `${is} suspected of failing`;
    case 'other-labels':
      return one ? 'has other labels' : 'have other labels';
    case 'blocked-repository':
      return one ? 'blocks this repository' : 'block this repository';
    case 'other-repository':
      return one ? 'does not allow this repository' : 'do not allow this repository';
    case 'not-idle':
      return `${is} too busy to share idle time`;
    case 'session-limit':
      return one ? 'has as many sessions as it may have' : 'have as many sessions as they may have';
    case 'no-room':
      return `${one ? 'has' : 'have'} no room${figures(group)}`;
    case 'full':
      return group.every(hasEased)
        ? `${one ? 'was' : 'were'} full until a moment ago`
        : `${is} at ${span(group.map(({ load }) => load))}`;
    case 'kept':
      return `${is} kept for those who wait`;
  }
}

/** What servers without room would be at, and what they may be at. Of one moment, so that the limit is the same for all. */
function figures(group: readonly Situation[]): string {
  const verdicts = group.flatMap(({ verdict }) => (verdict?.kind === 'no-room' ? verdict : []));
  const [first] = verdicts;
  if (first === undefined) return '';
  return ` (${span(verdicts.map(({ predicted }) => predicted))} with one more; the limit is ${percent(first.target)})`;
}

/** `97 %`, or `91 to 97 %`. */
function span(values: readonly (number | undefined)[]): string {
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0) return 'the limit';
  let [least, most] = [Infinity, -Infinity];
  for (const value of known) [least, most] = [Math.min(least, value), Math.max(most, value)];
  const [from, to] = [Math.round(least), Math.round(most)];
  return from === to ? percent(to) : `${from} to ${percent(to)}`;
}

function percent(value: number): string {
  return `${Math.round(value)} %`;
}
