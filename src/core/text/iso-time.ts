/** Times as people and other programs read them, without the clock that comes with `Date`. */

/** `2026-11-22T15:18:24Z`; `time` is seconds since the epoch, of which whole seconds are told. */
export function isoTime(time: number): string {
  const seconds = Math.floor(time);
  const days = Math.floor(seconds / DAY);
  const { year, month, day } = dateOf(days);
  const rest = seconds - days * DAY;
  const parts = [Math.floor(rest / 3600), Math.floor(rest / 60) % 60, rest % 60];
  return `${padded(year, 4)}-${padded(month)}-${padded(day)}T${parts.map((part) => padded(part)).join(':')}Z`;
}

const DAY = 86_400;
/** Days of 400 years, after which the calendar repeats itself. */
const ERA = 146_097;
/** From the first of March of the year 0 to the epoch. */
const BEFORE_THE_EPOCH = 719_468;

/** Years begin in March here, so that the day that is sometimes missing is the last of its year (Howard Hinnant, `civil_from_days`). */
function dateOf(daysSinceEpoch: number): { year: number; month: number; day: number } {
  const days = daysSinceEpoch + BEFORE_THE_EPOCH;
  const era = Math.floor(days / ERA);
  const ofEra = days - era * ERA;
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * ofYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1,
  };
}

function padded(number: number, digits = 2): string {
  return String(number).padStart(digits, '0');
}
