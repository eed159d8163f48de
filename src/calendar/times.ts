/** Times of events: local, with the clocks of a zone. */
import type { CalendarProblem, CalendarRule } from '../core/reservations/calendar-event.ts';
import type { ZoneClock } from '../core/reservations/zone-clock.ts';
import type { Property } from './components.ts';
import { clockOf } from './zones.ts';

export interface EventTime {
  readonly clock: ZoneClock;
  /** Seconds that the clocks show, as if they were UTC. */
  readonly local: number;
}

/** Why an event has no lessons; the message is a sentence for people. */
export class TimeError extends Error {
  readonly code = 'calendar-time';
  readonly problem: CalendarProblem;

  constructor(rule: CalendarRule, reason: string, values?: CalendarProblem['values']) {
    super(reason);
    this.problem = { rule, reason, ...(values !== undefined && { values }) };
  }
}

/** `zone`: of times that name none. Throws a `TimeError`. */
export function readTime(properties: readonly Property[], name: string, zone: string | undefined): EventTime {
  const found = properties.find((property) => property.name === name);
  const value = found?.values[0];
  if (found === undefined || typeof value !== 'string')
    throw new TimeError('event-unreadable', `It has no ${LABELS[name] ?? name}.`);
  const local = localSeconds(value);
  if (local === undefined) throw new TimeError('event-unreadable', `Its ${LABELS[name] ?? name} cannot be read.`);
  if (!value.includes('T')) throw new TimeError('event-all-day', 'It lasts all day: a class needs a time.');
  return { local, clock: clockFor(value, found.parameters['tzid'], zone) };
}

/** `2026-09-15` and `2026-09-15T08:00:00`, with or without `Z`. `undefined`: there is no such time. */
export function localSeconds(value: unknown): number | undefined {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}Z?)?$/.test(value)) return undefined;
  const time = Date.parse(value.length === 10 || value.endsWith('Z') ? value : `${value}Z`);
  // The 31st of February becomes another day.
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== value.slice(0, 10) ? undefined : time / 1000;
}

function clockFor(value: string, tzid: unknown, zone: string | undefined): ZoneClock {
  const name = value.endsWith('Z') ? 'UTC' : typeof tzid === 'string' ? tzid : zone;
  if (name === undefined)
    throw new TimeError('event-zone', 'Its time names no time zone; import it with the parameter "zone".', { zone: '–' });
  const clock = clockOf(name);
  if (clock === undefined)
    throw new TimeError('event-zone', `Its time zone "${name.slice(0, 60)}" is unknown.`, { zone: name.slice(0, 60) });
  return clock;
}

const LABELS: Readonly<Record<string, string>> = {
  dtstart: 'start',
  dtend: 'end',
  exdate: 'exception',
  'recurrence-id': 'date of the lesson that was moved',
};
