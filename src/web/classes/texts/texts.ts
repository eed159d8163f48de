/** Every text of the pages for classes. A language is one file beside this one. `{name}` is replaced by a value. */
import type { RESERVATION_STATES } from '../../../core/reservations/reservation.ts';

export type StateTexts = Readonly<Record<(typeof RESERVATION_STATES)[number], string>>;

export interface Texts {
  /** As in `<html lang>`. */
  readonly language: string;
  readonly noScript: string;

  // ---- the page of a class
  /** `{code}`. */
  readonly classWithCode: string;
  readonly unknownClass: string;
  readonly tooManyCodes: string;
  /** `{time}`. */
  readonly seatsFrom: string;
  /** `{time}`: how long. */
  readonly opensIn: string;
  readonly open: string;
  readonly classOver: string;
  readonly start: string;
  readonly scan: string;
  readonly address: string;
  readonly project: string;

  // ---- the page of teachers
  readonly title: string;
  /** A link to the page at `/`. */
  readonly home: string;
  readonly signIn: string;
  readonly token: string;
  readonly tokenHelp: string;
  readonly wrongToken: string;
  readonly signOut: string;
  readonly yours: string;
  readonly none: string;
  readonly noAnswer: string;
  /** `{came}`, `{seats}`. */
  readonly came: string;
  /** `{taken}`. */
  readonly taken: string;
  readonly states: StateTexts;
  /** `{predicted}`, `{seats}`. */
  readonly gathered: string;
  /** `{predicted}`, `{seats}`. */
  readonly short: string;
  readonly studentsPage: string;
  readonly longer: string;
  readonly move: string;
  readonly moveTo: string;
  readonly release: string;
  readonly cancel: string;
  readonly reallyCancel: string;
  readonly keep: string;
  readonly done: string;
  readonly make: string;
  readonly name: string;
  readonly nameHelp: string;
  readonly day: string;
  readonly from: string;
  readonly to: string;
  readonly seats: string;
  readonly projectHelp: string;
  readonly more: string;
  readonly code: string;
  readonly codeHelp: string;
  readonly whoBelongs: string;
  readonly byCode: string;
  readonly byProject: string;
  readonly byEither: string;
  readonly opens: string;
  readonly grace: string;
  readonly reserve: string;
  /** `{seats}`, `{free}`. */
  readonly fits: string;
  /** `{seats}`, `{more}`, `{time}`, `{free}`. */
  readonly tooMany: string;
  readonly otherTimes: string;
  readonly noOtherTimes: string;
  readonly noSuchTime: string;
  readonly endFirst: string;
  /** `{code}`. */
  readonly made: string;
  readonly weekly: string;
  readonly weeklyHelp: string;
  /** `{seats}`, `{lessons}`. */
  readonly fitsEachWeek: string;
  /** `{lessons}`, `{code}`. */
  readonly madeWeekly: string;
  readonly laterToo: string;
  readonly calendar: string;
  readonly calendarHelp: string;
  readonly twoGroups: string;
  /** `{seats}`. */
  readonly oneMoreServer: string;
  /** `{from}`, `{to}`. */
  readonly range: string;
  /** Why the server refuses a reservation. */
  readonly refusals: {
    readonly overCapacity: string;
    readonly quota: string;
    readonly codeInUse: string;
    readonly tooMany: string;
    readonly over: string;
    readonly noServer: string;
    readonly badProject: string;
    readonly badValue: string;
    readonly trouble: string;
  };
  readonly minutes: string;
}

export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
