/** Every text of the pages for classes, with the same rules as those of the pages for visitors. A language is one file beside this one. */
export interface ClassTexts {
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
  readonly weekBefore: string;
  readonly weekAfter: string;
  readonly thisWeek: string;
  readonly noneInWeek: string;
  /** `{day}`. */
  readonly nextClass: string;
  readonly noAnswer: string;
  /** `{came}`, `{seats}`. */
  readonly came: string;
  /** `{taken}`. */
  readonly taken: string;
  readonly 'state.planned': string;
  readonly 'state.gathering': string;
  readonly 'state.open': string;
  readonly 'state.running': string;
  readonly 'state.easing': string;
  readonly 'state.released': string;
  readonly 'state.over': string;
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
  /** `{seats}`, `{atOnce}`. */
  readonly notAllAtOnce: string;
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
  readonly importCalendar: string;
  readonly importHelp: string;
  readonly calendarFile: string;
  /** `{count}`. */
  readonly importNow: string;
  /** `{seats}`, `{lessons}`. */
  readonly importedSeats: string;
  readonly 'import.new': string;
  readonly 'import.changed': string;
  readonly 'import.unchanged': string;
  readonly 'import.cancelled': string;
  readonly 'import.refused': string;
  readonly twoGroups: string;
  /** `{seats}`. */
  readonly oneMoreServer: string;
  /** `{from}`, `{to}`. */
  readonly range: string;
  readonly rehearse: string;
  readonly rehearsing: string;
  readonly waitsNotKnown: string;
  /** `{count}`, `{people}`. */
  readonly getInAtOnce: string;
  /** `{minutes}`. */
  readonly lastAfter: string;
  readonly lastLate: string;
  readonly 'with.nothing': string;
  readonly 'with.reservation': string;
  readonly 'with.two-groups': string;
  readonly 'with.one-more-server': string;
  readonly minutes: string;

  // ---- why the session server refuses
  /** `{max}`, `{wanted}`. */
  readonly 'refused.quota-seats': string;
  /** `{max}`, `{wanted}`. */
  readonly 'refused.quota-seat-hours': string;
  /** `{max}`, `{wanted}`. */
  readonly 'refused.quota-days-ahead': string;
  readonly 'refused.code-in-use': string;
  readonly 'refused.bad-code': string;
  readonly 'refused.bad-project': string;
  readonly 'refused.project-needed': string;
  readonly 'refused.in-the-past': string;
  /** `{years}`. */
  readonly 'refused.too-far': string;
  readonly 'refused.no-lesson': string;
  /** `{day}`: such as 2027-03-28. */
  readonly 'refused.no-such-time': string;
  /** `{max}`. */
  readonly 'refused.too-many-lessons': string;
  readonly 'refused.too-many-reservations': string;
  readonly 'refused.reservation-over': string;
  readonly 'refused.unknown-reservation': string;
  readonly 'refused.no-server-for-project': string;
  readonly 'refused.too-large': string;
  readonly 'refused.unknown-zone': string;
  readonly 'refused.calendar-unreadable': string;
  /** `{max}`. */
  readonly 'refused.calendar-events': string;
  /** `{max}`. */
  readonly 'refused.calendar-lessons': string;
  readonly 'refused.event-unreadable': string;
  readonly 'refused.event-all-day': string;
  /** `{zone}`. */
  readonly 'refused.event-zone': string;
  readonly 'refused.event-series': string;
  readonly 'refused.event-order': string;
  readonly 'refused.event-over': string;
  readonly 'refused.event-seats': string;
  readonly 'refused.event-length': string;
  readonly 'refused.rehearsal-running': string;
  readonly 'refused.token': string;
  /** Any other reason, which follows in English. */
  readonly 'refused.other': string;
}
