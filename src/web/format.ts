/**
 * How the page writes numbers and times: in English, as the words around them, in the viewer's time zone in the browser, and
 * in that of the server before any script has run.
 */
export interface Format {
  /** `20.5%`, always with one digit, or `N/A` when nothing is known. */
  readonly load: (percent: number | null) => string;
  /** `90%`, as it was configured. */
  readonly limit: (percent: number) => string;
  /** `99.95%`, rounded down, so that nothing looks perfect that is not. `share`: 0 to 1. */
  readonly uptime: (share: number) => string;
  /** Load points with one digit. */
  readonly points: (points: number) => string;
  readonly count: (count: number) => string;
  /** `15:18:24`. Times are seconds since the epoch. */
  readonly clock: (time: number) => string;
  /** `15:18`. */
  readonly minute: (time: number) => string;
  /** With the day, unless it is the day of `now`. */
  readonly moment: (time: number, now: number) => string;
  /** Always with the day: for text that may be read days later. */
  readonly dayAndClock: (time: number) => string;
  /** Identifies the day in the viewer's time zone: the same for all times of that day. */
  readonly dayOf: (time: number) => string;
  /** `Sunday, November 22, 2026 at 15:18:24`. */
  readonly started: (time: number) => string;
  /** The beginning of a bucket of `step` seconds; with the day, unless it is the day of `now`. */
  readonly bucket: (time: number, step: number, now: number) => string;
  /**
   * For ticks of an axis, `increment` seconds apart. The first tick and the first of each day have the day below them.
   */
  readonly ticks: (times: readonly number[], increment: number) => readonly string[];
  readonly milliseconds: (seconds: number) => string;
}

export interface FormatOptions {
  readonly locale: string;
  /** Absent: that of the machine. */
  readonly timeZone?: string;
  /** Absent: that of the locale. */
  readonly hourCycle?: 'h23';
}

const DAY = 86_400;

/** The English of a viewer whose first language it is; for all others the English of the page as it is served. */
export function englishOf([first = '']: readonly string[]): FormatOptions {
  return /^en(?:-[a-z0-9]+)*$/i.test(first) ? { locale: first } : ENGLISH;
}

/** With 24 hours, as most people in the world write them. */
export const ENGLISH: FormatOptions = { locale: 'en-US', hourCycle: 'h23' };

export function createFormat({ locale, timeZone, hourCycle }: FormatOptions): Format {
  const zone = { ...(timeZone !== undefined && { timeZone }), ...(hourCycle !== undefined && { hourCycle }) };
  const percent = new Intl.NumberFormat(locale, { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const limit = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 2 });
  const points = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const { clock, minute, day, dayAndMinute, dayAndClock, longDay } = timeFormats(locale, zone);
  const date = (time: number) => new Date(time * 1000);
  return {
    load: (value) => (value === null ? 'N/A' : percent.format(value / 100)),
    limit: (value) => limit.format(value / 100),
    uptime: (share) => limit.format(Math.floor(share * 10_000) / 10_000),
    points: (value) => points.format(value),
    count: (value) => whole.format(value),
    clock: (time) => clock.format(date(time)),
    minute: (time) => minute.format(date(time)),
    moment: (time, now) => (longDay.format(date(time)) === longDay.format(date(now)) ? clock : dayAndMinute).format(date(time)),
    dayAndClock: (time) => dayAndClock.format(date(time)),
    dayOf: (time) => longDay.format(date(time)),
    started: (time) => `${longDay.format(date(time))} at ${clock.format(date(time))}`,
    bucket(time, step, now) {
      const today = longDay.format(date(time)) === longDay.format(date(now));
      if (step < 60) return (today ? clock : dayAndClock).format(date(time));
      return (today ? minute : dayAndMinute).format(date(time));
    },
    ticks(times, increment) {
      if (increment >= DAY) return times.map((time) => day.format(date(time)));
      const days = times.map((time) => day.format(date(time)));
      return times.map((time, index) => {
        const said = (increment < 60 ? clock : minute).format(date(time));
        return days[index] === days[index - 1] ? said : `${said}\n${days[index] ?? ''}`;
      });
    },
    milliseconds: (seconds) => `${whole.format(seconds * 1000)} ms`,
  };
}

function timeFormats(locale: string, zone: Intl.DateTimeFormatOptions) {
  const toMinute = { hour: '2-digit', minute: '2-digit' } as const;
  const toSecond = { ...toMinute, second: '2-digit' } as const;
  const dayAndMonth = { day: 'numeric', month: 'short' } as const;
  const formatOf = (fields: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, { ...zone, ...fields });
  return {
    clock: formatOf(toSecond),
    minute: formatOf(toMinute),
    day: formatOf(dayAndMonth),
    dayAndMinute: formatOf({ ...dayAndMonth, ...toMinute }),
    dayAndClock: formatOf({ ...dayAndMonth, ...toSecond }),
    longDay: formatOf({ weekday: 'long', month: 'long', day: '2-digit', year: 'numeric' }),
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
  return `Connection lost at ${format.dayAndClock(since / 1000)}. Reconnecting…`;
}

/** `1 server`, `2 servers`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** The target of a link, if it is a web address: never a script. */
export function safeLink(url: string): { readonly href?: string } {
  return /^https?:\/\//i.test(url) ? { href: url } : {};
}
