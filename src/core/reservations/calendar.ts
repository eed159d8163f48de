/** Reservations as a calendar to which other programs subscribe (RFC 5545). */
import type { Reservation } from './reservation.ts';

/** Octets of a line without its break (RFC 5545 § 3.1). */
const MAX_LINE = 75;

/** `stamp`: when it was written, in seconds since the epoch. */
export function writeCalendar(reservations: readonly Reservation[], stamp: number): string {
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//session-server//classes//EN',
    'X-WR-CALNAME:Classes',
    'REFRESH-INTERVAL;VALUE=DURATION:PT15M',
    'X-PUBLISHED-TTL:PT15M',
    ...reservations.flatMap((reservation) => eventOf(reservation, stamp)),
    'END:VCALENDAR',
  ];
  return lines.map((line) => `${folded(line)}\r\n`).join('');
}

/** Times are absolute, so that no program has to know a zone. */
function eventOf({ id, title, code, seats, project, start, end, revision }: Reservation, stamp: number): readonly string[] {
  const facts = [`${seats} seats`, `code ${code}`, ...(project === undefined ? [] : [project])];
  return [
    'BEGIN:VEVENT',
    `UID:${text(id)}@session-server`,
    `DTSTAMP:${time(stamp)}`,
    `DTSTART:${time(start)}`,
    `DTEND:${time(end)}`,
    `SEQUENCE:${revision}`,
    `SUMMARY:${text(title === '' ? `Class ${code}` : title)}`,
    `DESCRIPTION:${text(facts.join('\n'))}`,
    'END:VEVENT',
  ];
}

function time(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

/** RFC 5545 § 3.3.11. */
function text(value: string): string {
  return value
    .replace(/[\\;,]/g, (sign) => `\\${sign}`)
    .replace(/\r\n|\r|\n/g, '\\n')
    .replace(/\p{Cc}/gu, ' ');
}

/** Cut between characters, never inside of one: a line counts octets. */
function folded(line: string): string {
  const parts: string[] = [];
  let part = '';
  let octets = 0;
  for (const character of line) {
    const size = octetsOf(character);
    if (octets + size > MAX_LINE) {
      parts.push(part);
      // The blank that continues a line counts, too.
      [part, octets] = ['', 1];
    }
    part += character;
    octets += size;
  }
  return [...parts, part].join('\r\n ');
}

/** In UTF-8. */
function octetsOf(character: string): number {
  const point = character.codePointAt(0) ?? 0;
  return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x1_0000 ? 3 : 4;
}
