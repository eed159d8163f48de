/** Dates and times of a form, in the zone of the reader. */

/** `undefined`: the clocks skip this time on that day, or it is not a time. */
export function toDate(day: string, time: string): Date | undefined {
  const date = new Date(`${day}T${time}`);
  if (Number.isNaN(date.getTime())) return undefined;
  const fields = fieldsOf(date);
  return fields.day === day && fields.time === time ? date : undefined;
}

/** As fields of a form have them. */
export function fieldsOf(date: Date): { readonly day: string; readonly time: string } {
  const two = (value: number): string => String(value).padStart(2, '0');
  return {
    day: `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
    time: `${two(date.getHours())}:${two(date.getMinutes())}`,
  };
}

/** The beginning of the week, in the zone of the reader. */
export function mondayOf(time: Date): Date {
  return new Date(time.getFullYear(), time.getMonth(), time.getDate() - ((time.getDay() + 6) % 7));
}

/** The same time of the day, so many weeks later. */
export function weeksFrom(time: Date, weeks: number): Date {
  return new Date(time.getFullYear(), time.getMonth(), time.getDate() + 7 * weeks);
}
