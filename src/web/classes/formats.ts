/** Times as the reader of the pages for classes writes them, in the reader's zone. */
import type { ClassTexts } from '../../core/languages/classes/texts.ts';

export interface Formats {
  /** `Tuesday, 15 September` */
  readonly day: (iso: string) => string;
  readonly time: (iso: string) => string;
  /** `Tuesday, 15 September, 08:00 – 09:30` */
  readonly span: (start: string, end: string) => string;
}

/** The reader's own variant of the language, such as `en-GB`. */
export function formats({ language }: ClassTexts): Formats {
  const own = navigator.languages.find((tag) => tag.split('-')[0] === language) ?? language;
  const day = new Intl.DateTimeFormat(own, { weekday: 'long', day: 'numeric', month: 'long' });
  const time = new Intl.DateTimeFormat(own, { hour: '2-digit', minute: '2-digit' });
  const write = (format: Intl.DateTimeFormat) => (iso: string) => format.format(new Date(iso));
  return {
    day: write(day),
    time: write(time),
    span: (start, end) => `${write(day)(start)}, ${write(time)(start)} – ${write(time)(end)}`,
  };
}
