/**
 * The life of one session on a simulation server, from its connection to the moment when nothing of it is left.
 *
 * Pure: an event changes the state and asks for commands, which the engine carries out. A resource is listed before it is created and leaves the list only
 * when it is seen to be gone. Resources are created in one order, and a session that ends, from whatever state, undoes them in reverse, one at a time. So a
 * port or a folder is free for others only when the simulator that used it is gone.
 *
 * Times are seconds of a monotonic clock.
 */
import { OUT_OF_MEMORY } from './sentences.ts';

/** In the order in which they are created. */
export const RESOURCES = ['port', 'checkout', 'workspace', 'simulator'] as const;
export type Resource = (typeof RESOURCES)[number];

/** What a session is doing. Each of the middle ones creates resources: `fetching` port and checkout, `preparing` the workspace, `starting` the simulator. */
export type Phase = 'accepted' | 'fetching' | 'preparing' | 'starting' | 'streaming' | 'ending' | 'gone';

export const END_REASONS = [
  'client-left',
  'refused',
  'project',
  'fetch',
  'prepare',
  'did-not-start',
  'simulator-ended',
  'crashed',
  'memory',
  'disk',
  'time',
  'idle',
  'drained',
  'server-stops',
  'bug',
] as const;
export type EndReason = (typeof END_REASONS)[number];

/**
 * How a WebSocket is closed (RFC 6455 § 7.4.1). 1008: no machine can ever run this. 1011: the simulator failed. 1012: this server stops. 1013: another
 * machine may be able to run it.
 */
export type CloseCode = 1000 | 1008 | 1011 | 1012 | 1013;

export interface Ending {
  readonly reason: EndReason;
  readonly code: CloseCode;
  /** A sentence for the client. Absent: the client needs no reason. */
  readonly text?: string;
}

export interface SessionLife {
  readonly phase: Phase;
  /** When the phase began. */
  readonly since: number;
  /** Created, being created, or not yet seen to be gone. */
  readonly resources: readonly Resource[];
  /** The world is loaded. */
  readonly loaded: boolean;
  /** Something of this session listens on the inner address. */
  readonly reachable: boolean;
  /** The simulation is running, not paused. */
  readonly busy: boolean;
  /** When the simulation was paused or began to run. */
  readonly busySince: number;
  /** When the session is ended, and why then. */
  readonly deadline?: { readonly at: number; readonly reason: 'time' | 'drained' };
  readonly ending?: Ending;
  /** When a failed attempt to undo the last resource is repeated. */
  readonly retryAt?: number;
  readonly reportedStuck: boolean;
}

/** Seconds. */
export interface LifeLimits {
  readonly startMessage: number;
  readonly fetch: number;
  readonly prepare: number;
  readonly load: number;
  /** From the start of the simulator. */
  readonly time: number;
  /** A paused simulation without viewers ends after this time. Absent: never. */
  readonly idle?: number;
}

export type LifeEvent =
  /** The start message was read and accepted. */
  | { readonly kind: 'start' }
  /** The start message cannot be served, or a limit was hit. Also ends a session that runs. */
  | { readonly kind: 'end'; readonly ending: Ending }
  | { readonly kind: 'created'; readonly resource: Resource }
  | { readonly kind: 'failed'; readonly resource: Resource; readonly ending: Ending }
  | { readonly kind: 'gone'; readonly resource: Resource }
  | { readonly kind: 'undo-failed'; readonly resource: Resource }
  | { readonly kind: 'loaded' }
  | { readonly kind: 'reachable' }
  | { readonly kind: 'busy'; readonly busy: boolean }
  /** The simulator ended by itself. */
  | { readonly kind: 'exited'; readonly exit: SimulatorExit }
  | { readonly kind: 'left' }
  /** The session ends after this many seconds at the latest. */
  | { readonly kind: 'drain'; readonly seconds: number }
  | { readonly kind: 'stop' }
  | { readonly kind: 'tick'; /** Connections to the stream. */ readonly watchers: number };

export interface SimulatorExit {
  /** Exit status, or the name of the signal. */
  readonly status: number | string;
  /** The limit of memory was hit. */
  readonly outOfMemory: boolean;
}

export type ProgressStep = 'fetching' | 'preparing' | 'starting' | 'loading';

export type Command =
  | { readonly kind: 'create'; readonly resource: Resource }
  | { readonly kind: 'undo'; readonly resource: Resource }
  | { readonly kind: 'progress'; readonly step: ProgressStep }
  /** Informs the client when the session will end. */
  | { readonly kind: 'shutdown'; readonly seconds: number }
  /** Informs the client where its simulation is. */
  | { readonly kind: 'announce' }
  /** Sends the client the reason, if there is one, and closes its connection and those to the stream. */
  | { readonly kind: 'close'; readonly ending: Ending }
  /** A second start message was ignored. */
  | { readonly kind: 'already-started' }
  | { readonly kind: 'report-stuck'; readonly resource: Resource }
  /** Nothing of the session is left. */
  | { readonly kind: 'forget'; readonly ending: Ending };

export interface Step {
  readonly life: SessionLife;
  readonly commands: readonly Command[];
}

/** Seconds until an attempt to undo a resource is repeated. */
const RETRY = 2;
/** Seconds in `ending` after which the log reports it. */
const STUCK = 10;

export function acceptedLife(now: number): SessionLife {
  return {
    ...{ phase: 'accepted', since: now, resources: [], busySince: now },
    ...{ loaded: false, reachable: false, busy: false, reportedStuck: false },
  };
}

/** Never throws: an event that comes too late changes nothing. */
export function step(life: SessionLife, event: LifeEvent, limits: LifeLimits, now: number): Step {
  if (life.phase === 'gone') return unchanged(life);
  if (life.phase === 'ending') return stepEnding(life, event, now);
  switch (event.kind) {
    case 'start':
      if (life.phase !== 'accepted') return { life, commands: [{ kind: 'already-started' }] };
      return enter(life, 'fetching', 'port', now, [{ kind: 'progress', step: 'fetching' }]);
    case 'created':
      return isLast(life, event.resource) ? created(life, event.resource, limits, now) : unchanged(life);
    case 'failed':
      return isLast(life, event.resource) ? end(life, event.ending, now) : unchanged(life);
    case 'loaded':
      return announceWhenReady({ ...life, loaded: true }, now);
    case 'reachable':
      return announceWhenReady({ ...life, reachable: true }, now);
    case 'busy':
      return unchanged(event.busy === life.busy ? life : { ...life, busy: event.busy, busySince: now });
    case 'exited':
      return end(life, endingOfExit(life.phase, event.exit), now);
    case 'left':
      return end(life, { reason: 'client-left', code: 1000 }, now);
    case 'end':
      return end(life, event.ending, now);
    case 'drain':
      return drain(life, event.seconds, now);
    case 'stop':
      return end(life, { reason: 'server-stops', code: 1012, text: 'The simulation server is stopping.' }, now);
    case 'tick':
      return tick(life, event.watchers, limits, now);
    case 'gone':
    case 'undo-failed':
      // Nothing is undone before the end.
      return unchanged(life);
  }
}

/** The session holds a place: it will run or is running. */
export function holdsPlace({ phase, resources }: SessionLife): boolean {
  return resources.length > 0 || phase === 'fetching';
}

function stepEnding(life: SessionLife, event: LifeEvent, now: number): Step {
  const resource = life.resources.at(-1);
  if (resource === undefined) return unchanged(life);
  if (event.kind === 'tick') return retryOrReport(life, resource, now);
  if (event.kind === 'undo-failed' && event.resource === resource) return unchanged({ ...life, retryAt: now + RETRY });
  if (event.kind !== 'gone' || event.resource !== resource) return unchanged(life);
  const { retryAt: _, ...rest } = life;
  return undoNext({ ...rest, resources: life.resources.slice(0, -1) }, now);
}

function retryOrReport(life: SessionLife, resource: Resource, now: number): Step {
  const commands: Command[] = [];
  let next = life;
  if (!life.reportedStuck && now - life.since >= STUCK) {
    next = { ...next, reportedStuck: true };
    commands.push({ kind: 'report-stuck', resource });
  }
  if (life.retryAt !== undefined && now >= life.retryAt) {
    const { retryAt: _, ...rest } = next;
    next = rest;
    commands.push({ kind: 'undo', resource });
  }
  return { life: next, commands };
}

function created(life: SessionLife, resource: Resource, limits: LifeLimits, now: number): Step {
  switch (resource) {
    case 'port':
      return enter(life, 'fetching', 'checkout', life.since);
    case 'checkout':
      return enter(life, 'preparing', 'workspace', now, [{ kind: 'progress', step: 'preparing' }]);
    case 'workspace':
      return enter(life, 'starting', 'simulator', now, [{ kind: 'progress', step: 'starting' }]);
    case 'simulator': {
      const seconds = Math.min(limits.time, life.deadline === undefined ? Infinity : life.deadline.at - now);
      const deadline = life.deadline ?? { at: now + limits.time, reason: 'time' as const };
      const commands: Command[] = [
        { kind: 'shutdown', seconds },
        { kind: 'progress', step: 'loading' },
      ];
      const ready = announceWhenReady({ ...life, since: now, deadline }, now);
      return { life: ready.life, commands: [...commands, ...ready.commands] };
    }
  }
}

function enter(life: SessionLife, phase: Phase, resource: Resource, now: number, before: readonly Command[] = []): Step {
  return {
    life: { ...life, phase, since: now, resources: [...life.resources, resource] },
    commands: [...before, { kind: 'create', resource }],
  };
}

function announceWhenReady(life: SessionLife, now: number): Step {
  const { phase, deadline, loaded, reachable } = life;
  if (phase !== 'starting' || deadline === undefined || !loaded || !reachable) return unchanged(life);
  return { life: { ...life, phase: 'streaming', since: now, busySince: now }, commands: [{ kind: 'announce' }] };
}

function drain(life: SessionLife, seconds: number, now: number): Step {
  const at = now + seconds;
  if (life.deadline !== undefined && life.deadline.at <= at) return unchanged(life);
  const isStreaming = life.phase === 'streaming';
  return { life: { ...life, deadline: { at, reason: 'drained' } }, commands: isStreaming ? [{ kind: 'shutdown', seconds }] : [] };
}

function tick(life: SessionLife, watchers: number, limits: LifeLimits, now: number): Step {
  const { phase, since, busy, busySince, deadline } = life;
  const late = overdue(phase, now - since, limits);
  if (late !== undefined) return end(life, late, now);
  if (deadline !== undefined && now >= deadline.at) return end(life, { reason: deadline.reason, code: 1000 }, now);
  const isIdle = phase === 'streaming' && !busy && watchers === 0 && limits.idle !== undefined;
  if (isIdle && now - busySince >= limits.idle) return end(life, { reason: 'idle', code: 1000 }, now);
  return unchanged(life);
}

/** What a phase that took too long ends with. */
function overdue(phase: Phase, seconds: number, limits: LifeLimits): Ending | undefined {
  switch (phase) {
    case 'accepted':
      return seconds < limits.startMessage
        ? undefined
        : { reason: 'refused', code: 1008, text: 'The start message did not arrive in time.' };
    case 'fetching':
      return seconds < limits.fetch ? undefined : { reason: 'fetch', code: 1013, text: 'Fetching the project took too long.' };
    case 'preparing':
      return seconds < limits.prepare
        ? undefined
        : { reason: 'prepare', code: 1013, text: 'Preparing the project took too long.' };
    case 'starting':
      return seconds < limits.load
        ? undefined
        : { reason: 'did-not-start', code: 1011, text: 'The simulation did not load in time.' };
    case 'streaming':
    case 'ending':
    case 'gone':
      return undefined;
  }
}

function endingOfExit(phase: Phase, { status, outOfMemory }: SimulatorExit): Ending {
  if (outOfMemory) return { reason: 'memory', code: 1011, text: OUT_OF_MEMORY };
  const how = typeof status === 'number' ? `with status ${status}` : `by the signal ${status}`;
  if (phase !== 'streaming')
    return { reason: 'did-not-start', code: 1011, text: `The simulator ended ${how} before the world was loaded.` };
  if (status === 0) return { reason: 'simulator-ended', code: 1000 };
  return { reason: 'crashed', code: 1011, text: `The simulator ended ${how}.` };
}

/** Ends a session that does not end yet. */
function end(life: SessionLife, ending: Ending, now: number): Step {
  const next = undoNext({ ...life, phase: 'ending', since: now, ending }, now);
  return { life: next.life, commands: [{ kind: 'close', ending }, ...next.commands] };
}

function undoNext(life: SessionLife, now: number): Step {
  const resource = life.resources.at(-1);
  if (resource !== undefined) return { life, commands: [{ kind: 'undo', resource }] };
  const ending = life.ending ?? { reason: 'bug', code: 1011 };
  return { life: { ...life, phase: 'gone', since: now }, commands: [{ kind: 'forget', ending }] };
}

function isLast({ resources }: SessionLife, resource: Resource): boolean {
  return resources.at(-1) === resource;
}

function unchanged(life: SessionLife): Step {
  return { life, commands: [] };
}
