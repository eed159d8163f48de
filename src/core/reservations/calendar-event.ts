/** Events of a calendar that another program exported, and what their descriptions say about seats. */

/** One lesson. Seconds since the epoch. */
export interface Lesson {
  readonly start: number;
  readonly end: number;
}

export interface CalendarEvent {
  readonly kind: 'event';
  /** Identity in its calendar: importing it twice changes nothing. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** In order. */
  readonly lessons: readonly [Lesson, ...Lesson[]];
}

/** Why an event, or a calendar, cannot be imported. Pages have words for each in their language. */
export type CalendarRule =
  | 'calendar-unreadable'
  | 'calendar-events'
  | 'calendar-lessons'
  | 'event-unreadable'
  | 'event-all-day'
  | 'event-zone'
  | 'event-series'
  | 'event-order'
  | 'event-over'
  | 'event-seats'
  | 'event-length'
  | 'no-such-time'
  | 'bad-code'
  | 'bad-project';

export interface CalendarProblem {
  readonly rule: CalendarRule;
  /** A sentence, in English. */
  readonly reason: string;
  /** What the sentence contains, by names. */
  readonly values?: Readonly<Record<string, string | number>>;
}

/** An event that cannot be reserved. */
export type RefusedEvent = { readonly uid: string; readonly title: string } & (
  { readonly kind: 'cancelled' } | ({ readonly kind: 'refused' } & CalendarProblem)
);

export type CalendarReading =
  | { readonly kind: 'calendar'; readonly events: readonly (CalendarEvent | RefusedEvent)[] }
  | ({ readonly kind: 'unreadable' } & CalendarProblem);

export interface CalendarContext {
  /** IANA name: the zone of times that name none. Absent: such times are refused. */
  readonly zone?: string;
  /** Seconds since the epoch: lessons that are over by then are left out. */
  readonly now: number;
}

/** Limits of one import. */
export const MAX_CALENDAR_BYTES = 262_144;
export const MAX_EVENTS = 200;
/** Lessons of all events together. */
export const MAX_IMPORTED_LESSONS = 366;

/** What lines such as `seats: 30` in the description of an event say. */
export interface DescribedSeats {
  readonly seats: number | undefined;
  readonly project: string | undefined;
  readonly code: string | undefined;
}

const MAX_VALUE = 1000;

/** Some programs write descriptions in HTML. */
export function readDescription(description: string): DescribedSeats {
  const text = description.replace(/<br ?\/?>|<\/(?:p|div|li)>/gi, '\n').replace(/<[^<>]*>/g, '');
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    const { name, value } = LINE.exec(line.trim())?.groups ?? {};
    if (name !== undefined && value !== undefined) found.set(name.toLowerCase(), value.slice(0, MAX_VALUE));
  }
  const seats = found.get('seats');
  return {
    seats: seats !== undefined && /^\d{1,5}$/.test(seats) ? Number(seats) : undefined,
    project: found.get('project'),
    code: found.get('code'),
  };
}

const LINE = /^(?<name>seats|project|code):\s*(?<value>\S+)$/i;
