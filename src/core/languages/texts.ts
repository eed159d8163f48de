/**
 * Every text of the pages for visitors. A language is one file beside this one, and operators can add others in the
 * configuration (`languages`). `{name}` is replaced by a value.
 */
export interface Texts {
  /** As in `<html lang>`. */
  readonly language: string;
  readonly title: string;
  /** Before the start. */
  readonly welcome: string;
  readonly available: string;
  readonly unavailable: string;
  /** No simulation server answers. */
  readonly silent: string;
  /** What to do then. */
  readonly silentAction: string;
  /** The fleet is empty. */
  readonly empty: string;
  /** What to do then. */
  readonly emptyAction: string;
  /** The page has no contact with the session server. */
  readonly unknown: string;
  /** Heading of the numbers. */
  readonly runs: string;
  readonly machines: string;
  readonly places: string;
  readonly inLine: string;
  readonly unanswering: string;
  readonly maintained: string;
  /** A link to the monitor. */
  readonly monitor: string;
  /** A link to the page of teachers. */
  readonly classes: string;
  readonly start: string;
  /** Instead of `start`, when all places are taken. */
  readonly wait: string;
  readonly startAgain: string;
  readonly stopWaiting: string;
  /** Unfolds a field for an address. */
  readonly ownProject: string;
  /** Label of that field. */
  readonly projectAddress: string;
  /** Below that field. */
  readonly projectHelp: string;
  /** Before the address of a project. */
  readonly project: string;
  /** A link to the landing page. */
  readonly home: string;
  readonly leave: string;
  readonly play: string;
  readonly pause: string;
  readonly step: string;
  readonly reset: string;
  readonly follow: string;
  readonly controls: string;
  readonly drive: string;
  readonly forward: string;
  readonly back: string;
  readonly left: string;
  readonly right: string;
  readonly armUp: string;
  readonly armDown: string;
  readonly armOut: string;
  readonly armIn: string;
  readonly keys: string;
  /** Description of the picture. */
  readonly picture: string;
  readonly plan: string;
  readonly incomplete: string;
  readonly asking: string;
  /** `{position}`. */
  readonly waiting: string;
  readonly next: string;
  /** `{position}`, in the line of a class. */
  readonly waitingOfClass: string;
  /** A student of a class who gets no seat of it. */
  readonly noSeatLeft: string;
  readonly nextOfClass: string;
  /** `{minutes}`. */
  readonly estimate: string;
  readonly soon: string;
  readonly noEstimate: string;
  /** Advice to those who wait. */
  readonly keepOpen: string;
  /** Why one waits. */
  readonly busyReason: string;
  readonly orderReason: string;
  /** `{count}`. */
  readonly silentReason: string;
  /** `{count}`. */
  readonly maintainedReason: string;
  readonly connecting: string;
  /** What a machine does before the simulation runs. */
  readonly fetching: string;
  readonly preparing: string;
  readonly starting: string;
  readonly anotherMachine: string;
  readonly loading: string;
  readonly running: string;
  readonly paused: string;
  readonly reconnecting: string;
  /** While it tries again. */
  readonly keepsPlace: string;
  readonly machineLost: string;
  readonly machineUnreachable: string;
  readonly noWebSocket: string;
  readonly gone: string;
  readonly goneFromLine: string;
  readonly ended: string;
  readonly full: string;
  readonly tooMany: string;
  readonly notAllowed: string;
  /** The address of a project is not valid: its host, its form, or a part of it. */
  readonly projectHost: string;
  readonly projectForm: string;
  readonly projectPart: string;
  /** A machine was free, and went to another visitor. */
  readonly lapsed: string;
  /** Another page took over the place in line. */
  readonly elsewhere: string;
  /** By an operator. */
  readonly removed: string;
  readonly serverTrouble: string;
  readonly classUnknown: string;
  readonly classClosed: string;
  /** Reasons of machines. `{world}`. */
  readonly worldMissing: string;
  readonly repositoryMissing: string;
  readonly outOfMemory: string;
  readonly machineRefuses: string;
  readonly machineFails: string;
  readonly simulationFails: string;
  readonly machineStops: string;
  /** Any other reason, which follows in English. */
  readonly refused: string;
  /** `{rate}` kB/s, `{frames}`. */
  readonly figures: string;
  /** `{name}`, `{x}`, `{y}`, `{angle}`. */
  readonly place: string;
  readonly noScript: string;
  /** A link to the page of the demo. */
  readonly demo: string;
  readonly demoWelcome: string;
  readonly demoClass: string;
  /** `{count}`. */
  readonly demoClassText: string;
  /** `{count}`. */
  readonly demoSendClass: string;
  readonly demoSendHome: string;
  readonly demoSimulating: string;
  readonly demoDone: string;
  readonly demoRestarted: string;
  readonly demoMachines: string;
  readonly demoMachinesText: string;
  readonly demoStop: string;
  readonly demoStartMachine: string;
  /** `{name}`. */
  readonly demoRuns: string;
  /** `{name}`. */
  readonly demoStopped: string;
  readonly demoMail: string;
  /** `{seconds}`. */
  readonly demoMailText: string;
  readonly demoSlow: string;
  readonly demoFast: string;
  readonly demoIsFast: string;
  readonly demoIsSlow: string;
  readonly demoMails: string;
  readonly demoNoMails: string;
  /** `{milliseconds}`. */
  readonly demoAnswer: string;
  readonly demoPeople: string;
  readonly demoPeopleText: string;
  readonly demoOperator: string;
  readonly demoTeacher: string;
  readonly demoOwnPage: string;
  readonly demoOwnPageText: string;
  readonly demoReference: string;
}

export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** As it is written in the language of the texts. */
export function numberText({ language }: Pick<Texts, 'language'>, value: number, digits = 0): string {
  return new Intl.NumberFormat(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    signDisplay: 'negative',
  }).format(value);
}

/** The names of the values in a text, sorted. */
export function valuesIn(text: string): readonly string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name).sort();
}
