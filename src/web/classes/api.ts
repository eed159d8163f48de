/**
 * Requests of the teachers' page. The token is held in memory alone and is sent with each request: pages of simulation servers may share this origin, and
 * could use a cookie or read a store.
 */
export interface ReservationView {
  readonly id: string;
  readonly title: string;
  readonly code: string;
  readonly project: string | null;
  readonly seats: number;
  /** ISO 8601. */
  readonly start: string;
  readonly end: string;
  readonly owner: string;
  /** Of a weekly series. */
  readonly series: string | null;
  /** In the answer to a series. */
  readonly lessons?: number;
  readonly state: 'planned' | 'gathering' | 'open' | 'running' | 'easing' | 'released' | 'over';
  readonly taken: number;
  readonly came: number;
  readonly outstanding: number;
  readonly predicted: number | null;
  /** Fewer seats will be free than are held. */
  readonly short: boolean;
  /** Seats that are free; in the answer to a trial. */
  readonly free?: number;
  /** Of its seats, those that can be taken at once; the rest within two minutes. In the answer to a trial. */
  readonly atOnce?: number;
}

export interface Wish {
  readonly title: string;
  readonly code?: string;
  readonly match: 'code' | 'project' | 'either';
  readonly project?: string;
  readonly seats: number;
  /** ISO 8601. */
  readonly start: string;
  readonly minutes: number;
  readonly opens: number;
  readonly grace: number;
  readonly weekly?: { readonly until: string; readonly zone: string };
}

export interface Rehearsal {
  readonly seats: { readonly from: number; readonly to: number };
  readonly changes: readonly {
    readonly kind: 'one-more-server' | 'other-time' | 'two-groups';
    /** Seats that there would be. */
    readonly seats: number;
  }[];
  /** `null`: not asked for, or not known. */
  readonly waits: Waits | null;
  readonly waitChanges: readonly {
    readonly kind: 'reservation' | 'two-groups' | 'one-more-server';
    readonly waits: Waits;
  }[];
}

/** How long people would wait. */
export interface Waits {
  readonly atOnce: { readonly from: number; readonly to: number };
  /** Seconds until the last one has a place; `null`: more than half an hour. */
  readonly lastSeconds: { readonly from: number | null; readonly to: number | null };
}

export interface Refusal {
  readonly code: string;
  readonly reason: string;
  /** Which rule of the code it is; absent: the code says it. */
  readonly rule?: string;
  /** What the reason contains, by names. */
  readonly values?: Readonly<Record<string, string | number>>;
  /** Of `over-capacity`. Times are ISO 8601. */
  readonly numbers?: { readonly free: number; readonly at: string; readonly alternatives: readonly string[] };
}

export type Answer<T> = { readonly kind: 'answer'; readonly value: T } | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Milliseconds. */
const TIMEOUT = 20_000;
export const NO_ANSWER = 'no-answer';

/** `path` follows `api/v1/reservations`. */
export function ask<T>(token: string, method: string, path = '', body?: object): Promise<Answer<T>> {
  return request(token, method, `api/v1/reservations${path}`, body);
}

export interface ImportedEvent {
  readonly uid: string;
  readonly title: string;
  readonly outcome: 'new' | 'changed' | 'unchanged' | 'cancelled' | 'refused';
  /** Why it is refused. */
  readonly refusal: Refusal | null;
  readonly code: string | null;
  readonly seats: number | null;
  readonly lessons: number;
  /** ISO 8601. */
  readonly first: string | null;
}

export interface CalendarImport {
  readonly applied: boolean;
  readonly events: readonly ImportedEvent[];
}

/** What a calendar file would reserve; `apply`: reserves it. */
export function importCalendar(token: string, file: string, apply: boolean): Promise<Answer<CalendarImport>> {
  const query = new URLSearchParams({ apply: String(apply), zone: new Intl.DateTimeFormat().resolvedOptions().timeZone });
  return request(token, 'POST', `api/v1/reservations/import?${query.toString()}`, file);
}

/** Would so many fit, and what would help? `waits`: also how long they would wait, which takes seconds. */
export function rehearse(token: string, { seats, start, minutes, project }: Wish, waits = false): Promise<Answer<Rehearsal>> {
  const question = { people: seats, at: start, minutes, waits, ...(project !== undefined && { project }) };
  return request(token, 'POST', 'api/v1/rehearsals', question);
}

/** `body`: a calendar file, or what is sent as JSON. */
async function request<T>(token: string, method: string, url: string, body?: object | string): Promise<Answer<T>> {
  const type = typeof body === 'string' ? 'text/calendar' : 'application/json';
  try {
    const response = await fetch(url, {
      method,
      credentials: 'omit',
      headers: { Authorization: `Bearer ${token}`, ...(body !== undefined && { 'Content-Type': type }) },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT),
    });
    const value: unknown = response.status === 204 ? null : await response.json();
    return response.ok ? { kind: 'answer', value: value as T } : { kind: 'refused', refusal: value as Refusal };
  } catch {
    return { kind: 'refused', refusal: { code: NO_ANSWER, reason: '' } };
  }
}
