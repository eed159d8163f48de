/**
 * The events of a calendar as lists of properties (RFC 5545). Each event is parsed alone, so that one that makes no sense refuses itself and no other, and so that
 * nothing nested is ever followed.
 */
import ical from 'ical.js';

export interface Property {
  /** In small letters. */
  readonly name: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly values: readonly unknown[];
}

export type Component =
  | { readonly kind: 'component'; readonly properties: readonly Property[] }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** The texts of all events. `undefined`: it is not a calendar. */
export function eventTexts(calendar: string): readonly string[] | undefined {
  const lines = calendar.split(/\r\n|\n|\r/);
  const first = lines.find((line) => line.trim() !== '');
  if (first?.replace('\uFEFF', '').trim().toUpperCase() !== 'BEGIN:VCALENDAR') return undefined;
  const events: string[] = [];
  let event: string[] | undefined;
  for (const line of lines) {
    const mark = line.trimEnd().toUpperCase();
    if (mark === 'BEGIN:VEVENT') event = [];
    event?.push(line);
    if (mark !== 'END:VEVENT' || event === undefined) continue;
    events.push(event.join('\r\n'));
    event = undefined;
  }
  return events;
}

export function parseEvent(text: string): Component {
  try {
    const parsed: unknown = ical.parse(text);
    const properties: unknown = Array.isArray(parsed) ? parsed[1] : undefined;
    if (!Array.isArray(properties)) return { kind: 'unreadable', reason: 'It has no properties.' };
    return { kind: 'component', properties: properties.flatMap(propertyOf) };
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    return { kind: 'unreadable', reason: `It does not follow the format of calendars: ${message.slice(0, 200)}.` };
  }
}

/** As the library writes it: name, parameters, type, values. */
function propertyOf(property: unknown): Property[] {
  if (!Array.isArray(property)) return [];
  const [name, parameters, , ...values] = property as unknown[];
  if (typeof name !== 'string' || typeof parameters !== 'object' || parameters === null) return [];
  return [{ name, parameters: parameters as Readonly<Record<string, unknown>>, values }];
}
