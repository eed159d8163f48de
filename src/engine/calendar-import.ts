/** Reserves the events of a calendar, or says what would become of each. Importing the same calendar twice changes nothing. */
import { parseProject } from '../core/fleet/project.ts';
import {
  readDescription,
  type CalendarEvent,
  type CalendarProblem,
  type CalendarReading,
  type Lesson,
} from '../core/reservations/calendar-event.ts';
import { normalizedCode } from '../core/reservations/code.ts';
import { doorsOf, type Reservation } from '../core/reservations/reservation.ts';
import { MAX_SEATS } from '../state/reservations.ts';
import type { Person, ReservationOutcome, Reservations, Wish } from './reservations.ts';

export interface ImportOptions {
  readonly reservations: Pick<Reservations, 'make' | 'views'>;
  readonly otherHosts: readonly string[];
  /** Seconds since the epoch. */
  readonly now: number;
  /** `false`: nothing is stored. */
  readonly apply: boolean;
  /** Lets other requests in between two events: 200 of them take seconds in a large fleet. */
  readonly giveWay: () => Promise<unknown>;
}

type Read = Extract<CalendarReading, { kind: 'calendar' }>['events'][number];
type Refusal = Exclude<ReservationOutcome, { kind: 'done' }>;

export interface ImportedEvent {
  readonly uid: string;
  readonly title: string;
  readonly outcome: 'new' | 'changed' | 'unchanged' | 'cancelled' | 'refused';
  /** Why it is refused: what is wrong with the event, or the answer to its reservation. */
  readonly why?: CalendarProblem | { readonly refusal: Refusal; readonly seats: number };
  /** Its reservations; of a trial, those that it would have. */
  readonly reservations: readonly Reservation[];
}

const MINUTE = 60;
const MIN_LENGTH = 5 * MINUTE;
const MAX_LENGTH = 720 * MINUTE;
const MAX_TITLE = 120;
/** Seconds before the start from which seats can be taken, and after it for which all are held. */
const USUAL = 10 * MINUTE;

/** One after the other: an event takes up room of those that follow. */
export async function importEvents(
  events: readonly Read[],
  by: Person,
  options: ImportOptions,
): Promise<readonly ImportedEvent[]> {
  const imported: ImportedEvent[] = [];
  for (const event of events) {
    const besides = options.apply
      ? []
      : imported.flatMap(({ outcome, reservations }) => (outcome === 'unchanged' ? [] : reservations));
    imported.push(await importEvent(event, by, besides, options));
    await options.giveWay();
  }
  return imported;
}

async function importEvent(
  event: Read,
  by: Person,
  besides: readonly Reservation[],
  options: ImportOptions,
): Promise<ImportedEvent> {
  const { uid, title } = event;
  if (event.kind === 'cancelled') return { uid, title, outcome: 'cancelled', reservations: [] };
  if (event.kind === 'refused') return { uid, title, outcome: 'refused', why: event, reservations: [] };
  const wish = wishOf(event, options.otherHosts);
  if ('rule' in wish) return { uid, title, outcome: 'refused', why: wish, reservations: [] };
  const { reservations, now, apply } = options;
  const known = reservations
    .views(by)
    .map(({ reservation }) => reservation)
    .filter(({ imported, owner, end }) => imported === uid && owner === by.name && end > now);
  if (isSame(known, wish)) return { uid, title, outcome: 'unchanged', reservations: known };
  // Where people may have come, nothing is changed.
  const replaces = new Set(known.filter((one) => now < doorsOf(one)).map(({ id }) => id));
  const begun = new Set(known.filter(({ id }) => !replaces.has(id)).map(({ start }) => start));
  const [first, ...more] = wish.lessons.filter(({ start }) => !begun.has(start));
  if (first === undefined) return { uid, title, outcome: 'unchanged', reservations: known };
  const made = await reservations.make({ ...withCode(wish, known), ...first, lessons: [first, ...more] }, by, {
    dryRun: !apply,
    replaces,
    besides,
  });
  if (made.kind !== 'done')
    return { uid, title, outcome: 'refused', why: { refusal: made, seats: wish.seats }, reservations: [] };
  return { uid, title, outcome: known.length === 0 ? 'new' : 'changed', reservations: made.made ?? [] };
}

/** What is wrong, if it cannot be meant. */
function wishOf(
  event: CalendarEvent,
  otherHosts: readonly string[],
): (Wish & { readonly lessons: readonly [Lesson, ...Lesson[]] }) | CalendarProblem {
  const { uid, title, description, lessons } = event;
  const { seats, project, code } = readDescription(description);
  if (seats === undefined || seats < 1 || seats > MAX_SEATS)
    return { rule: 'event-seats', reason: 'Its description says no number of seats; write a line such as "seats: 30".' };
  const odd = lessons.find(({ start, end }) => end - start < MIN_LENGTH || end - start > MAX_LENGTH);
  if (odd !== undefined) return { rule: 'event-length', reason: 'A class lasts 5 minutes to 12 hours.' };
  const normalized = code === undefined ? undefined : normalizedCode(code);
  if (code !== undefined && normalized === undefined)
    return { rule: 'bad-code', reason: 'Its code is not one: write 4 to 32 letters and digits.' };
  const read = project === undefined ? undefined : parseProject(project, { otherHosts });
  if (read?.kind === 'refused') return { rule: 'bad-project', reason: read.reason };
  const [{ start, end }] = lessons;
  return {
    ...{ title: title.slice(0, MAX_TITLE), seats, start, end, lessons, imported: uid, opens: USUAL, grace: USUAL },
    match: read === undefined ? 'code' : 'either',
    ...(normalized !== undefined && { code: normalized }),
    ...(read !== undefined && { project: read.project.url }),
  };
}

/** A code that was made up stays the same. */
function withCode(wish: Wish, [known]: readonly Reservation[]): Wish {
  return wish.code !== undefined || known === undefined ? wish : { ...wish, code: known.code };
}

function isSame(known: readonly Reservation[], wish: Wish & { readonly lessons: readonly Lesson[] }): boolean {
  const { lessons, title, seats, project, code } = wish;
  if (known.length !== lessons.length) return false;
  return known.every((one, index) => {
    const lesson = lessons[index];
    const isSameTime = one.start === lesson?.start && one.end === lesson.end;
    return isSameTime && one.title === title && one.seats === seats && one.project === project && (code ?? one.code) === one.code;
  });
}
