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

/** An event that cannot be reserved. `reason` is a sentence. */
export interface RefusedEvent {
  readonly kind: 'refused' | 'cancelled';
  readonly uid: string;
  readonly title: string;
  readonly reason: string;
}

export type CalendarReading =
  | { readonly kind: 'calendar'; readonly events: readonly (CalendarEvent | RefusedEvent)[] }
  /** `reason` is a sentence. */
  | { readonly kind: 'unreadable'; readonly reason: string };

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
