/** The fields of the form, and the reservation that they mean. */
import type { Wish } from './api.ts';
import { fieldsOf, toDate } from './local-time.ts';
import type { ClassTexts } from '../../core/languages/classes/texts.ts';

export interface Fields {
  readonly title: string;
  readonly day: string;
  readonly from: string;
  readonly to: string;
  /** The last day of a weekly series. Empty: one lesson. */
  readonly weekly: string;
  readonly seats: string;
  readonly project: string;
  readonly code: string;
  readonly match: Wish['match'];
  /** Minutes. */
  readonly opens: string;
  readonly grace: string;
}

const MINUTE = 60_000;
const LESSON = 90;
const HOUR = 60;

/** The next full hour, for 90 minutes. `now` is milliseconds since the epoch. */
export function firstFields(now: number): Fields {
  const start = new Date(Math.ceil(now / (HOUR * MINUTE)) * HOUR * MINUTE);
  const { day, time } = fieldsOf(start);
  const to = fieldsOf(new Date(start.getTime() + LESSON * MINUTE)).time;
  return {
    ...{ title: '', day, from: time, to, weekly: '', seats: '30', project: '', code: '', match: 'code' },
    ...{ opens: '10', grace: '10' },
  };
}

/** A sentence if the fields cannot be meant; `undefined` while something is missing. */
export function wishOf(fields: Fields, texts: ClassTexts): Wish | string | undefined {
  const { title, day, from, to, weekly, project, code, match } = fields;
  const [seats, opens, grace] = [fields.seats, fields.opens, fields.grace].map(Number) as [number, number, number];
  if (day === '' || from === '' || to === '' || seats < 1) return undefined;
  const [start, end] = [toDate(day, from), toDate(day, to)];
  if (start === undefined || end === undefined) return texts.noSuchTime;
  if (end <= start) return texts.endFirst;
  return {
    ...{ title: title.trim(), match, seats, opens, grace },
    ...{ start: start.toISOString(), minutes: (end.getTime() - start.getTime()) / MINUTE },
    ...(weekly !== '' && { weekly: { until: weekly, zone: new Intl.DateTimeFormat().resolvedOptions().timeZone } }),
    ...(project.trim() !== '' && { project: project.trim() }),
    ...(code.trim() !== '' && { code: code.trim() }),
  };
}

/** The fields with another start, and the same length. `start` is ISO 8601. */
export function movedTo(fields: Fields, start: string): Fields {
  const [from, to] = [toDate(fields.day, fields.from), toDate(fields.day, fields.to)];
  if (from === undefined || to === undefined) return fields;
  const begin = new Date(start);
  const { day, time } = fieldsOf(begin);
  return { ...fields, day, from: time, to: fieldsOf(new Date(begin.getTime() + to.getTime() - from.getTime())).time };
}
