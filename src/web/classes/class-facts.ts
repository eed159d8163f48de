/** What the page of a class says at a moment. */
import type { ClassView } from '../../core/views/class-view.ts';
import type { ClassTexts } from '../../core/languages/classes/texts.ts';
import { fill } from '../../core/languages/texts.ts';

export interface ClassFacts {
  /** Seats can be taken. */
  readonly isOpen: boolean;
  readonly status: string;
}

interface Moment {
  /** Absent: the zone of the reader. */
  readonly timeZone?: string;
  /** Milliseconds since the epoch; `undefined`: the state as the server derived it is all that is known. */
  readonly now: number | undefined;
}

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

export function classFacts(view: ClassView, texts: ClassTexts, { timeZone, now }: Moment): ClassFacts {
  const [doors, end] = [Date.parse(view.doors), Date.parse(view.end)];
  const isOver = now === undefined ? view.state === 'over' : now >= end;
  const isEarly = now === undefined ? view.state === 'planned' || view.state === 'gathering' : now < doors;
  if (isOver) return { isOpen: false, status: texts.classOver };
  if (!isEarly) return { isOpen: true, status: texts.open };
  const zone = timeZone === undefined ? {} : { timeZone, timeZoneName: 'short' as const };
  const format = new Intl.DateTimeFormat(texts.language, { hour: '2-digit', minute: '2-digit', hour12: false, ...zone });
  const from = fill(texts.seatsFrom, { time: format.format(doors) });
  if (now === undefined || doors - now >= DAY) return { isOpen: false, status: from };
  return { isOpen: false, status: `${from} ${fill(texts.opensIn, { time: countdown(doors - now) })}` };
}

/** `1:04:09`, or `4:09` within the last hour. */
export function countdown(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}`;
}
