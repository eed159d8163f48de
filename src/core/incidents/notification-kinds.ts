/**
 * Everything that differs between kinds of notifications, in one table.
 *
 * Subjects and sentences of `down`, `recovered`, `full` and `available` are those of the original, word for word, because operators filter on them
 * (docs/design/protocol.md, "Notifications by e-mail").
 */
interface Kind {
  readonly subject: string;
  /** About one server; its name and its load, such as `30%`, are fit to be shown. */
  readonly sentence: (name: string, load: string) => string;
  /** The later of two notifications with the same theme makes the earlier one obsolete. */
  readonly theme: string;
  /** What had lasted, for a kind that reports the end of an incident. */
  readonly ended?: string;
}

const kinds = {
  down: {
    subject: 'Simulation server not responding',
    sentence: (name) => `${name} simulation server may be down, as it is not responding to the requests of the session server...`,
    theme: 'answers',
  },
  recovered: {
    subject: 'Simulation server working again',
    sentence: (name, load) => `${name} simulation server is up and running again (load = ${load}).`,
    theme: 'answers',
    ended: 'it was not responding',
  },
  full: {
    subject: 'Simulation server reached maximum load',
    sentence: (name, load) => `${name} simulation server has reached maximum load (${load}).`,
    theme: 'room',
  },
  available: {
    subject: 'Simulation server available again',
    sentence: (name, load) => `${name} simulation server is available again (load = ${load}).`,
    theme: 'room',
    ended: 'it was full',
  },
  suspect: {
    subject: 'Simulation server suspected of failing',
    sentence: (name, load) =>
      `${name} simulation server may be failing, as it still looks idle (load = ${load}) although sessions were handed out to it.`,
    theme: 'suspect',
  },
  certificate: {
    subject: 'Certificate of the session server needs attention',
    sentence: (name) => `The certificate of ${name} needs attention.`,
    theme: 'certificate',
  },
  'class-short': {
    subject: 'Too few seats for a class',
    sentence: (name) => `${name} may get fewer seats than are reserved for it.`,
    theme: 'class',
  },
  'class-unused': {
    subject: 'No student of a class came',
    sentence: (name) => `No student came to ${name}, nor to the lesson before it. The reservation may not be needed any more.`,
    theme: 'class',
  },
  'store-gone': {
    subject: 'Shared store of the session servers not responding',
    sentence: () => 'The shared store of the session servers does not answer, so that no other replica can lead.',
    theme: 'store',
  },
  'store-back': {
    subject: 'Shared store of the session servers working again',
    sentence: () => 'The shared store of the session servers answers again.',
    theme: 'store',
    ended: 'it did not answer',
  },
  'replica-gone': {
    subject: 'Replica of the session server missing',
    sentence: (name) => `Replica ${name} of the session server has sent no heartbeat for half a minute.`,
    theme: 'replica',
  },
  'replica-back': {
    subject: 'Replica of the session server back again',
    sentence: (name) => `Replica ${name} of the session server is back again.`,
    theme: 'replica',
    ended: 'it was missing',
  },
  test: {
    subject: 'Session server test message',
    sentence: () => 'This is a test. Notifications from the session server reach this address.',
    theme: 'test',
  },
} as const satisfies Record<string, Kind>;

export type NotificationKind = keyof typeof kinds;

export const notificationKinds: Readonly<Record<NotificationKind, Kind>> = kinds;

export const NOTIFICATION_KINDS = Object.keys(kinds) as readonly NotificationKind[];

/** Which notification reports the beginning of an incident, and which its end. */
export const incidentKinds = {
  'not-responding': { begin: 'down', end: 'recovered' },
  full: { begin: 'full', end: 'available' },
  suspect: { begin: 'suspect', end: undefined },
  'class-short': { begin: 'class-short', end: undefined },
  'class-unused': { begin: 'class-unused', end: undefined },
} as const satisfies Record<string, { readonly begin: NotificationKind; readonly end: NotificationKind | undefined }>;

export type IncidentKind = keyof typeof incidentKinds;

export const INCIDENT_KINDS = Object.keys(incidentKinds) as readonly IncidentKind[];
