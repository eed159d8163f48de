/**
 * How the page says numbers and times: in the viewer's locale and zone in the browser, in English and the server's zone before any script has run.
 * The words between them are English, as all of the page.
 */
export interface Format {
  /** `20.5%`, or `N/A` when nothing is known. */
  readonly load: (percent: number | null) => string;
  /** Load points with one digit. */
  readonly points: (points: number) => string;
  readonly count: (count: number) => string;
  /** `15:18:24`. Times are seconds since the epoch. */
  readonly clock: (time: number) => string;
  /** With the day, when it is not the day of `now`. */
  readonly moment: (time: number, now: number) => string;
  /** `Sunday, November 22, 2026 at 15:18:24`. */
  readonly started: (time: number) => string;
  /** For the ends of a range: as much of the date as a range of `seconds` needs. */
  readonly axis: (time: number, seconds: number) => string;
  readonly milliseconds: (seconds: number) => string;
}

export interface FormatOptions {
  /** Absent: the viewer's. */
  readonly locale?: string;
  readonly timeZone?: string;
  /** Absent: as the locale has it. */
  readonly hourCycle?: 'h23';
}

const DAY = 86_400;

export function createFormat({ locale, timeZone, hourCycle }: FormatOptions = {}): Format {
  const zone = { ...(timeZone !== undefined && { timeZone }), ...(hourCycle !== undefined && { hourCycle }) };
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 2 });
  const points = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const clock = new Intl.DateTimeFormat(locale, { ...zone, hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const minute = new Intl.DateTimeFormat(locale, { ...zone, hour: '2-digit', minute: '2-digit' });
  const day = new Intl.DateTimeFormat(locale, { ...zone, day: 'numeric', month: 'short' });
  const dayAndClock = new Intl.DateTimeFormat(locale, {
    ...zone,
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  });
  const parts = new Intl.DateTimeFormat('en-US', {
    ...zone,
    weekday: 'long',
    month: 'long',
    day: '2-digit',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
  const date = (time: number) => new Date(time * 1000);
  return {
    load: (value) => (value === null ? 'N/A' : percent.format(value / 100)),
    points: (value) => points.format(value),
    count: (value) => whole.format(value),
    clock: (time) => clock.format(date(time)),
    moment: (time, now) => (sameDay(date(time), date(now), day) ? clock.format(date(time)) : dayAndClock.format(date(time))),
    started(time) {
      const said = new Map(parts.formatToParts(date(time)).map(({ type, value }) => [type, value]));
      const part = (type: Intl.DateTimeFormatPartTypes) => said.get(type) ?? '';
      const time_ = `${part('hour')}:${part('minute')}:${part('second')}`;
      return `${part('weekday')}, ${part('month')} ${part('day')}, ${part('year')} at ${time_}`;
    },
    axis(time, seconds) {
      if (seconds <= 2 * 3600) return clock.format(date(time));
      return seconds <= DAY
        ? minute.format(date(time))
        : seconds <= 8 * DAY
          ? dayAndClock.format(date(time))
          : day.format(date(time));
    },
    milliseconds: (seconds) => `${whole.format(seconds * 1000)} ms`,
  };
}

/** `45 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`: the two largest units. */
export function duration(seconds: number): string {
  const total = Math.max(0, Math.round(seconds));
  const units: [number, string][] = [
    [Math.floor(total / DAY), 'd'],
    [Math.floor(total / 3600) % 24, 'h'],
    [Math.floor(total / 60) % 60, 'min'],
    [total % 60, 's'],
  ];
  const first = units.findIndex(([amount]) => amount > 0);
  if (first < 0) return '0 s';
  return units
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ');
}

/** `since`: milliseconds since the epoch. */
export function staleInWords(since: number, format: Format): string {
  return `Not live since ${format.clock(since / 1000)}; trying again`;
}

/** `1 server`, `2 servers`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

function sameDay(a: Date, b: Date, day: Intl.DateTimeFormat): boolean {
  return Math.abs(a.getTime() - b.getTime()) < DAY * 1000 && day.format(a) === day.format(b);
}

/** The address of a link, if it is one of the web: nothing that runs. */
export function safeLink(url: string): { readonly href?: string } {
  return /^https?:\/\//i.test(url) ? { href: url } : {};
}
