/** How long a class would wait, in the language of the page. */
import type { ClassTexts } from '../../core/languages/classes/texts.ts';
import { fill } from '../../core/languages/texts.ts';
import type { Waits } from './api.ts';

const MINUTE = 60;

export function waitsWords({ atOnce, lastSeconds: { from, to } }: Waits, texts: ClassTexts, people: number): string {
  const first = fill(texts.getInAtOnce, { count: rangeOf(atOnce.from, atOnce.to), people });
  if (from === null) return `${first} ${texts.lastLate}`;
  if (to === 0) return first;
  const minutes = to === null ? rangeOf(minutesOf(from), '>30') : rangeOf(minutesOf(from), minutesOf(to));
  return `${first} ${fill(texts.lastAfter, { minutes })}`;
}

function rangeOf(from: number, to: number | string): string {
  return from === to ? String(from) : `${from}–${to}`;
}

function minutesOf(seconds: number): number {
  return Math.ceil(seconds / MINUTE);
}
