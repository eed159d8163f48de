/** Reads a calendar that another program exported: events with their lessons as instants, series and changed lessons included. Never throws. */
import {
  MAX_CALENDAR_BYTES,
  MAX_EVENTS,
  MAX_IMPORTED_LESSONS,
  type CalendarContext,
  type CalendarEvent,
  type CalendarProblem,
  type CalendarReading,
  type CalendarRule,
  type Lesson,
  type RefusedEvent,
} from '../core/reservations/calendar-event.ts';
import { dayOfLocal } from '../core/reservations/zone-clock.ts';
import { eventTexts, parseEvent, type Property } from './components.ts';
import { localStarts, MAX_CALENDAR_STEPS, type SeriesBudget } from './recurrence.ts';
import { localSeconds, readTime, TimeError, type EventTime } from './times.ts';

const MAX_TEXT = 5000;
const MAX_UID = 500;
/** Seconds ahead until which lessons of a series without an end are made. */
const HORIZON = 366 * 86_400;
const MAX_EXCEPTIONS = 1000;
const TOO_MANY_LESSONS: CalendarProblem = {
  rule: 'calendar-lessons',
  reason: `The calendar has more than ${MAX_IMPORTED_LESSONS} lessons that are not over; import it in parts.`,
  values: { max: MAX_IMPORTED_LESSONS },
};

interface Event {
  readonly uid: string;
  readonly properties: readonly Property[];
  /** What was wrong with it. */
  readonly problem?: string;
}

export function readCalendar(text: string, context: CalendarContext): CalendarReading {
  if (Buffer.byteLength(text) > MAX_CALENDAR_BYTES)
    return unreadable('calendar-unreadable', `It is larger than ${MAX_CALENDAR_BYTES} bytes.`);
  const texts = eventTexts(text);
  if (texts === undefined)
    return unreadable('calendar-unreadable', 'It is not a calendar: it does not begin with BEGIN:VCALENDAR.');
  if (texts.length > MAX_EVENTS)
    return unreadable('calendar-events', `It has ${texts.length} events; at most ${MAX_EVENTS} are imported at once.`, {
      max: MAX_EVENTS,
    });
  const byUid = new Map<string, Event[]>();
  for (const event of texts.map(eventOf)) byUid.set(event.uid, [...(byUid.get(event.uid) ?? []), event]);
  let left = MAX_IMPORTED_LESSONS;
  const budget: SeriesBudget = { steps: MAX_CALENDAR_STEPS };
  const events = [...byUid.values()].map((parts) => {
    const event = readEvent(parts, context, budget);
    if (event.kind === 'event' && (left -= event.lessons.length) < 0) return refused(event, TOO_MANY_LESSONS);
    return event;
  });
  return { kind: 'calendar', events };
}

function eventOf(text: string, index: number): Event {
  const component = parseEvent(text);
  if (component.kind === 'unreadable') return { uid: `event ${index + 1}`, properties: [], problem: component.reason };
  const { properties } = component;
  return { uid: textOf(properties, 'uid').slice(0, MAX_UID) || `event ${index + 1}`, properties };
}

/** The event itself, and its lessons that were moved. */
function readEvent(parts: readonly Event[], context: CalendarContext, budget: SeriesBudget): CalendarEvent | RefusedEvent {
  const [first] = parts;
  const main = parts.find(({ properties }) => !has(properties, 'recurrence-id')) ?? first;
  if (main === undefined) throw new Error('a group of events is never empty');
  const { uid, properties, problem } = main;
  const described = { uid, title: textOf(properties, 'summary'), description: textOf(properties, 'description') };
  const broken = problem ?? parts.find((part) => part.problem !== undefined)?.problem;
  if (broken !== undefined) return refused(described, { rule: 'event-unreadable', reason: broken });
  const { title } = described;
  if (isCancelled(properties)) return { kind: 'cancelled', uid, title };
  try {
    const lessons = lessonsOf(main, parts, context, budget);
    return { kind: 'event', ...described, lessons };
  } catch (error) {
    if (!(error instanceof TimeError)) throw error;
    return refused(described, error.problem);
  }
}

/** Throws a `TimeError`. */
function lessonsOf(
  main: Event,
  parts: readonly Event[],
  { zone, now }: CalendarContext,
  budget: SeriesBudget,
): readonly [Lesson, ...Lesson[]] {
  const overrides = parts.filter(({ properties }) => has(properties, 'recurrence-id'));
  const replaced = new Set(overrides.map(({ properties }) => instantOf(readTime(properties, 'recurrence-id', zone))));
  const series = overrides.includes(main) ? [] : seriesOf(main.properties, zone, now, budget);
  const usual = series.filter(({ start }) => !replaced.has(start));
  const moved = overrides
    .filter(({ properties }) => !isCancelled(properties))
    .map(({ properties }) => {
      const start = readTime(properties, 'dtstart', zone);
      return lessonAt(instantOf(start), lengthOf(properties, start, zone));
    });
  const byStart = [...usual, ...moved].filter(({ end }) => end > now).sort((a, b) => a.start - b.start);
  const [first, ...more] = byStart;
  if (first === undefined) throw new TimeError('event-over', 'All of its lessons are over.');
  return [first, ...more];
}

function seriesOf(
  properties: readonly Property[],
  zone: string | undefined,
  now: number,
  budget: SeriesBudget,
): readonly Lesson[] {
  if (has(properties, 'rdate')) throw new TimeError('event-series', 'It has additional dates (RDATE), which are not supported.');
  const first = readTime(properties, 'dtstart', zone);
  const length = lengthOf(properties, first, zone);
  const rule = properties.find(({ name }) => name === 'rrule')?.values[0];
  if (rule === undefined) return [lessonAt(instantOf(first), length)];
  if (typeof rule !== 'object' || rule === null) throw new TimeError('event-series', 'Its series cannot be read.');
  const { clock } = first;
  const parts = rule as Readonly<Record<string, unknown>>;
  const until = Math.min(lastLocal(parts['until'], first), clock.localOf(now + HORIZON));
  const range = { from: clock.localOf(now - length), until, max: MAX_IMPORTED_LESSONS + 1 };
  const found = localStarts(first.local, withoutUntil(parts), range, budget);
  if (found.kind === 'refused') throw new TimeError('event-series', found.reason);
  const left = exceptions(properties, zone);
  return found.starts
    .map((local) => instantOf({ clock, local }))
    .flatMap((start) => (left.has(start) ? [] : [lessonAt(start, length)]));
}

/** The last local time of a series. A date alone means the whole day. */
function lastLocal(until: unknown, { clock }: EventTime): number {
  if (until === undefined) return Infinity;
  const text = typeof until === 'object' && until !== null ? (until as { toString(): string }).toString() : until;
  const local = localSeconds(text);
  if (local === undefined || typeof text !== 'string')
    throw new TimeError('event-series', 'The end of its series cannot be read.');
  if (!text.includes('T')) return local + 86_399;
  return text.endsWith('Z') ? clock.localOf(local) : local;
}

function withoutUntil(rule: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(rule).filter(([key]) => key !== 'until'));
}

function exceptions(properties: readonly Property[], zone: string | undefined): ReadonlySet<number> {
  const found = properties.filter(({ name }) => name === 'exdate');
  const values = found.flatMap((property) => property.values.map((value) => ({ ...property, values: [value] })));
  if (values.length > MAX_EXCEPTIONS) throw new TimeError('event-series', `It has more than ${MAX_EXCEPTIONS} exceptions.`);
  return new Set(values.map((property) => instantOf(readTime([property], 'exdate', zone))));
}

/** A time that the clocks skip is never moved: no student would come at another one. */
function instantOf({ clock, local }: Pick<EventTime, 'clock' | 'local'>): number {
  const instant = clock.instantOf(local);
  if (instant !== undefined) return instant;
  const day = dayOfLocal(local);
  throw new TimeError('no-such-time', `The clocks skip its time on ${day}.`, { day });
}

/** In seconds. */
function lengthOf(properties: readonly Property[], start: EventTime, zone: string | undefined): number {
  const duration = properties.find(({ name }) => name === 'duration')?.values[0];
  const length =
    typeof duration === 'string' ? secondsOf(duration) : instantOf(readTime(properties, 'dtend', zone)) - instantOf(start);
  if (length <= 0) throw new TimeError('event-order', 'Its end is not after its start.');
  return length;
}

/** RFC 5545 § 3.3.6, without weeks and days, which no lesson lasts. */
function secondsOf(duration: string): number {
  const { hours = '0', minutes = '0', seconds = '0' } = DURATION.exec(duration)?.groups ?? {};
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

const DURATION = /^PT(?:(?<hours>\d{1,3})H)?(?:(?<minutes>\d{1,5})M)?(?:(?<seconds>\d{1,6})S)?$/;

function lessonAt(start: number, length: number): Lesson {
  return { start, end: start + length };
}

function has(properties: readonly Property[], name: string): boolean {
  return properties.some((property) => property.name === name);
}

function isCancelled(properties: readonly Property[]): boolean {
  return textOf(properties, 'status').toUpperCase() === 'CANCELLED';
}

function textOf(properties: readonly Property[], name: string): string {
  const value = properties.find((property) => property.name === name)?.values[0];
  return typeof value === 'string' ? value.slice(0, MAX_TEXT) : '';
}

function refused({ uid, title }: Pick<CalendarEvent, 'uid' | 'title'>, problem: CalendarProblem): RefusedEvent {
  return { kind: 'refused', uid, title, ...problem };
}

function unreadable(rule: CalendarRule, reason: string, values?: CalendarProblem['values']): CalendarReading {
  return { kind: 'unreadable', rule, reason, ...(values !== undefined && { values }) };
}
