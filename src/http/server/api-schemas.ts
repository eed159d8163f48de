/**
 * The responses of `/api/v1`, described for the OpenAPI document. Their types are in `core/views/monitor-view.ts`, which
 * the monitor page uses too. The end of this file makes the compiler check that both agree, field by field.
 */
import { z } from '@hono/zod-openapi';
import { NOTIFICATION_KINDS } from '../../core/incidents/notification-kinds.ts';
import type { SessionCountView } from '../../core/views/session-views.ts';
import type {
  AnswerView,
  ChannelTestView,
  DecisionView,
  DrainView,
  ExplainView,
  FleetView,
  IncidentView,
  MaintenanceView,
  MarkView,
  NoticeView,
  SecondsRange,
  ServerUptimeView,
  ServerView,
  WaitingView,
} from '../../core/views/monitor-view.ts';
import type { ReplicasView } from '../../core/views/replicas-view.ts';

const time = z.number().describe('Seconds since the epoch.');
const seconds = z.number().describe('Seconds.');
const percent = z.number().describe('Percent; may exceed 100.');
const points = z.number().describe('Load points: percent of an average server.');
const count = z.int().min(0);
const serverId = z
  .string()
  .describe('Identity of a simulation server, `host:port`.')
  .openapi({ example: 'sim1.example.org:2000' });
/** For the `params` of a route about one server. */
export const serverParameter = z.object({ id: serverId.min(1).max(300) });
const address = z.string().describe('Address as the operator wrote it.').openapi({ example: 'sim1.example.org/2000' });
const texts = z.record(z.string(), z.string()).readonly();

/** `null` beside a named schema. The library's own `nullable` would make the schema nullable wherever it is used. */
function orNull<T extends z.ZodType>(schema: T) {
  return z.union([schema, z.null()]);
}

export const secondsRange = z.object({ from: seconds, to: seconds }).openapi('SecondsRange');

const waiting = z
  .object({
    length: count.describe('Tickets in the waiting line.'),
    longest: seconds.nullable().describe('How long the first client in line has waited; null: the line is empty.'),
    estimate: orNull(secondsRange).describe('Estimated wait of a client that joins now; null: not known.'),
  })
  .openapi('WaitingLine');

const counted = z
  .object({
    sessionLength: seconds.describe('Mean length of a session, in whole minutes.'),
    places: count
      .nullable()
      .describe('Average sessions that fit within two minutes, by what they really cost; null: not known yet.'),
  })
  .openapi('CountedSessions');

export const availability = z
  .object({
    open: z.boolean().describe('A session can start now.'),
    availability: z.string().describe('The same in a sentence, with the reason if it cannot.'),
    places: count.describe('How many more average sessions fit now.'),
    placesRange: z
      .object({ from: count, to: count })
      .describe('The same if sessions cost one standard deviation more than expected (`from`), and less (`to`).'),
    counted: orNull(counted).describe(
      'What counting sessions taught; null: sessions are not counted here, or too few ended yet.',
    ),
    waiting,
    meanLoad: percent.nullable().describe('Mean load of the servers that answer, percent; null: none answers.'),
  })
  .openapi('Availability');

const drain = z
  .object({
    since: time,
    by: z.string(),
    reason: z.string().nullable(),
    until: time.nullable().describe('When the server is offered again; null: when it is resumed.'),
  })
  .openapi('DrainState');

export const sessionBasis = z
  .enum(['counted', 'reported', 'estimated'])
  .describe('`counted`: by the gateway. `reported`: by the simulation server. `estimated`: from its load.');
const sessionCount = z
  .object({ basis: sessionBasis, count: count.describe('Sessions that run or are about to begin.') })
  .openapi('SessionCount');

const classSeats = z
  .object({
    held: count.describe('Seats that will probably be taken here. They are held in the fleet, not on this server.'),
    taken: count.describe('Seats that are taken here.'),
    points: points.describe('Load points of the held seats.'),
  })
  .openapi('ClassSeats');
const reservationId = z
  .string()
  .nullable()
  .describe('Identity of the reservation that has to do with it. `/api/v1/reservations/{id}` names it to those who may see it.');

export const server = z
  .object({
    id: serverId,
    number: z.int().min(1).describe('Position in the configured order.'),
    address,
    monitorUrl: z.string().describe("The server's own monitor page."),
    state: z.enum(['unknown', 'available', 'full', 'draining', 'down']),
    since: time.describe('When the current state began, seconds since the epoch.'),
    reason: z.string().describe('Why it is in this state.'),
    load: percent.nullable().describe('Reported load, percent; null while it does not answer.'),
    lastLoad: percent.nullable().describe('The last reported load.'),
    booked: points.describe('Load points of allocated sessions that reports do not show yet.'),
    predicted: percent.nullable().describe('`load` + `booked`; null while it does not answer.'),
    cost: points.describe('Expected load points of a session on this server.'),
    costUncertainty: points.nullable().describe('One standard deviation of `cost`; null: not learned on this server yet.'),
    places: count.describe('How many more sessions of that cost fit now.'),
    sessions: sessionCount,
    classSeats: orNull(classSeats).describe('Its share of the seats of classes that are near or on; null: none.'),
    handOuts: count.describe('Sessions allocated since it joined the fleet.'),
    handOutsLastHour: count,
    lastAnswerAt: time.nullable(),
    latency: seconds.nullable().describe('Duration of the last successful probe, seconds.'),
    failures: count.describe('Failed probes since the last successful one.'),
    suspectSince: time
      .nullable()
      .describe('When it became suspect, because it looks idle although it was given sessions; null: it is not suspect.'),
    drain: orNull(drain),
    weight: z.number().describe('Approximate power relative to the other servers.'),
    maxSessions: count.nullable(),
    labels: texts,
    allowedRepositories: z.array(z.string()).readonly().nullable(),
    removable: z.boolean().describe('Whether it can be removed: it was added at run time, or registered itself and is down.'),
  })
  .openapi('Server');

export const answer = z
  .object({
    id: serverId,
    address,
    chosen: z.boolean().describe('It got the session, or would get it.'),
    eligible: z.boolean().describe('It could take the session.'),
    code: z.string().describe('Machine-readable reason.').openapi({ example: 'draining' }),
    reason: z.string().describe('The reason in a sentence.'),
  })
  .openapi('Answer');

export const explanation = z
  .object({
    project: z.string().nullable(),
    open: z.boolean().describe('A request now would be allocated.'),
    code: z.string().openapi({ example: 'no-room' }),
    reason: z.string().describe('The summary in a sentence.'),
    reservation: reservationId,
    servers: z.array(answer).readonly(),
  })
  .openapi('Explanation');

export const decision = z
  .object({
    id: z.string(),
    at: time,
    kind: z.enum(['allocated', 'refused', 'abandoned']),
    project: z
      .string()
      .nullable()
      .describe('The requested project, as it was sent if it could not be parsed; null: none was sent.'),
    serverId: serverId.nullable(),
    server: address.nullable(),
    code: z.string().openapi({ example: 'allocated' }),
    reason: z.string().describe('The reason in a sentence, for students.'),
    waited: seconds.describe('Seconds in the waiting line.'),
    reservation: reservationId,
    others: z.array(answer).readonly().describe('The answers of the other servers, at most a few dozen.'),
    omitted: count.describe('How many answers were left out.'),
  })
  .openapi('Decision');

export const maintenance = z
  .object({
    id: z.string(),
    servers: z.array(serverId).readonly().describe('Empty when there is a label.'),
    label: z.string().nullable().describe('`name=value`: the servers that have it when the maintenance begins.'),
    from: time,
    until: time,
    by: z.string(),
    reason: z.string().nullable(),
  })
  .openapi('Maintenance');

const replica = z
  .object({
    name: z.string().openapi({ example: 'a' }),
    leads: z.boolean(),
    version: z.string(),
    address: z.string().nullable().describe('URL at which the other replicas reach it; null: none is configured.'),
    silentFor: seconds.describe('Seconds since its last heartbeat; 0: it sent one in the last three seconds.'),
    polls: z.int().nullable().describe('Simulation servers that it polls; null: its version does not share polls.'),
    storeLatency: z.number().nullable().describe('Seconds that the shared store took to answer it last.'),
    clockDifference: z.number().describe('Seconds by which its clock is ahead of that of the store; 0: less than two.'),
    differingSettings: z
      .array(z.string())
      .readonly()
      .describe('Sections of the configuration in which it differs from the leader.'),
  })
  .openapi('Replica');

export const replicas = z
  .object({
    leader: z.string().nullable().describe('Name of the replica that leads; null: none is known.'),
    term: z.int().describe('Grows with each leader.'),
    store: z
      .object({
        answers: z.boolean(),
        program: z.string().nullable().openapi({ example: 'Redis 7.0.15' }),
        latency: z.number().nullable().describe('Seconds that it took to answer last.'),
        failures: z.int().describe('Heartbeats that it did not answer since the start.'),
        problems: z.array(z.string()).readonly().describe('What is wrong with it, a sentence each.'),
      })
      .openapi('SharedStore'),
    members: z.array(replica).readonly(),
    missing: z
      .array(z.object({ name: z.string(), since: time }))
      .readonly()
      .describe('Replicas that are missing.'),
  })
  .openapi('Replicas');

export const mark = z
  .object({
    serverId,
    server: address,
    kind: z.enum(['down', 'drained']),
    from: time,
    to: time.nullable().describe('Seconds since the epoch; null while it lasts.'),
  })
  .openapi('Mark');
const uptimeOf = z
  .object({
    share: z.number().nullable().describe('0 to 1; null: nothing of the span was observed.'),
    observed: seconds.describe('Seconds in which the session server ran, and the server was in the fleet and not drained.'),
  })
  .openapi('Uptime');
export const serverUptime = z
  .object({ day: uptimeOf.describe('The last 24 hours.'), month: uptimeOf.describe('The last 30 days.') })
  .openapi('ServerUptime');

const notice = z
  .object({
    notifier: z.string().describe('Name of the channel.'),
    at: time.nullable(),
    outcome: z.enum(['sent', 'waiting', 'failed']),
  })
  .openapi('Notice');

export const incident = z
  .object({
    id: z.string(),
    kind: z.enum(NOTIFICATION_KINDS),
    serverId,
    server: address,
    began: time,
    ended: time.nullable().describe('Seconds since the epoch; null while it lasts.'),
    reason: z.string().nullable(),
    notices: z.array(notice).readonly(),
  })
  .openapi('Incident');

export const allocated = z
  .object({
    type: z.literal('allocated'),
    id: z.string().describe('Id of the request, as in the log and in `/api/v1/decisions`.'),
    ticket: z.string().describe('Repeats this response, or gives the session up before it starts. Secret.'),
    url: z
      .string()
      .describe('The URL to which the client connects after appending `/client`.')
      .openapi({ example: 'wss://sim1.example.org/2000' }),
    server: serverId,
    expiresAt: z.iso.datetime().describe('Until then the place is reserved for a client that has not connected yet.'),
    until: z.iso.datetime().optional().describe('The session is ended then, because a class needs its seat. Absent: it is not.'),
  })
  .openapi('AllocatedSession');

export const waitingSession = z
  .object({
    type: z.literal('waiting'),
    ticket: z.string().describe('For polling, for giving the place up, and as `resume` on the WebSocket `/session`. Secret.'),
    position: z.int().min(1).describe('1 is next.'),
    ofClass: z.literal(true).optional().describe('The position is in the line of a class, which is served first.'),
    estimateSeconds: orNull(secondsRange).describe('Estimated remaining wait; null: not known.'),
    askAgainSeconds: seconds.describe('When to poll again. A client that does not poll is skipped, then loses its place.'),
  })
  .openapi('WaitingSession');

export const channelTest = z
  .object({
    notifier: z.string().describe('Name of the channel.').openapi({ example: 'email' }),
    recipient: z
      .string()
      .nullable()
      .describe('Recipient of the channel; null: see the name.')
      .openapi({ example: 'admin@example.org' }),
    outcome: z.enum(['sent', 'failed']).describe('`sent`: the mail server or the webhook accepted it.'),
    reason: z.string().nullable().describe('What went wrong and how to fix it; null: it was sent.'),
  })
  .openapi('ChannelTest');

/** `true` if both are the same type apart from `readonly`. */
type Same<A, B> = [Plain<A>, Plain<B>] extends [Plain<B>, Plain<A>] ? true : false;
type Plain<T> = T extends object ? { -readonly [K in keyof T]: Plain<T[K]> } : T;
type AllTrue<T extends Readonly<Record<string, true>>> = T;

/** Not used: the compiler rejects it if a schema and its type differ. */
export type SchemasAgree = AllTrue<{
  secondsRange: Same<z.output<typeof secondsRange>, SecondsRange>;
  waiting: Same<z.output<typeof waiting>, WaitingView>;
  availability: Same<z.output<typeof availability>, AvailabilityView>;
  drain: Same<z.output<typeof drain>, DrainView>;
  sessionCount: Same<z.output<typeof sessionCount>, SessionCountView>;
  server: Same<z.output<typeof server>, ServerView>;
  answer: Same<z.output<typeof answer>, AnswerView>;
  explanation: Same<z.output<typeof explanation>, ExplainView>;
  decision: Same<z.output<typeof decision>, DecisionView>;
  maintenance: Same<z.output<typeof maintenance>, MaintenanceView>;
  replicas: Same<z.output<typeof replicas>, ReplicasView>;
  mark: Same<z.output<typeof mark>, MarkView>;
  serverUptime: Same<z.output<typeof serverUptime>, ServerUptimeView>;
  notice: Same<z.output<typeof notice>, NoticeView>;
  incident: Same<z.output<typeof incident>, IncidentView>;
  channelTest: Same<z.output<typeof channelTest>, ChannelTestView>;
}>;

export type AvailabilityView = Pick<
  FleetView,
  'open' | 'availability' | 'places' | 'placesRange' | 'counted' | 'waiting' | 'meanLoad'
>;
