/**
 * The reserve of a class: who else may be let in now so that its seats will be free when the doors open.
 *
 * Long before, sessions that run now will be over by then, and no client is affected. Close to the start everything that is placed stays, and the seats are simply
 * held. The ramp between the two follows from how long sessions last (docs/explanation/reserved-seats.md).
 */
import { shareLeft, type SessionLength } from './session-length.ts';

/** What is known of one server. */
export interface ServerRoom {
  /** Percent: the load that admission reckons with, booked sessions included. */
  readonly load: number;
  /** Percent: the load without any session. */
  readonly base: number;
  /** What sessions cost there compared to the rest of the fleet. */
  readonly factor: number;
  /** It is known when each of its sessions begins and ends. */
  readonly counted?: boolean;
}

/** What a class needs, together with those that are on at the same time. */
export interface Demand {
  /** In seats of `seatCost`. */
  readonly seats: number;
  /** Load points of one seat, before the factor of the server. */
  readonly seatCost: number;
  /** Seconds until the seats are needed. */
  readonly ahead: number;
  /** Load points on a server that belong to people of classes, and the share of them that will be there by then. */
  readonly ofClasses?: (server: number) => { readonly points: number; readonly staying: number };
}

/** A session of another client. */
export interface Newcomer {
  /** Load points, before the factor of the server. */
  readonly cost: number;
  /** The chance that it still runs when the seats are needed. */
  readonly survival: number;
}

export interface Reserve {
  /** Seats that will be free beyond those that are needed; below 0: no other client may be let in. */
  readonly spare: number;
  /** Seats that will be free. */
  readonly predicted: number;
  /** Load points that will be free on each server. */
  readonly rooms: ArrayLike<number>;
  /** Seconds until the seats are needed. */
  readonly ahead: number;
  /** Whether a session leaves enough seats wherever it is placed. */
  readonly isAmple: (session: Newcomer) => boolean;
  /** Whether a session leaves enough seats when it is placed on the server with this index. */
  readonly admits: (server: number, session: Newcomer) => boolean;
}

/** Standard deviations of the number of sessions that leave in time: the seats are there nine times in ten. */
const CAUTION = 1.28;

/**
 * Where sessions are counted, learned costs are close to the truth. Elsewhere they are higher, and this hidden margin keeps the seats of a class when all of its
 * sessions start at once and cost more than later. So the margin is added there (`npm run bench:classes`: 93 % of a class served at once without it, 97 % with it).
 */
const COUNTED = 1.2;

/** Load points of one seat on this server. */
function seatOn({ factor, counted = false }: Pick<ServerRoom, 'factor' | 'counted'>, seatCost: number): number {
  return seatCost * factor * (counted ? COUNTED : 1);
}

/** `target`: percent that a placement must stay below. `servers` are those that may run the project and answer. */
export function reserveFor(
  servers: readonly ServerRoom[],
  { seats, seatCost, ahead, ofClasses }: Demand,
  { target, lengths }: { readonly target: number; readonly lengths: SessionLength },
): Reserve {
  const left = shareLeft(lengths, ahead);
  const rooms = new Float64Array(servers.length);
  let predicted = 0;
  let variance = 0;
  for (const [index, server] of servers.entries()) {
    const { load, base } = server;
    const each = seatOn(server, seatCost);
    const ofSessions = Math.max(0, load - base);
    const { points, staying } = ofClasses?.(index) ?? NO_CLASS;
    const members = Math.min(ofSessions, points);
    const others = ofSessions - members;
    const room = target - base - others * left - members * staying;
    rooms[index] = room;
    predicted += seatsIn(room, each);
    variance += (others * left * (1 - left) + members * staying * (1 - staying)) / each;
  }
  // A class that needs no seats any more holds back no client, however uncertain the rest is.
  const caution = seats === 0 ? 0 : CAUTION * Math.sqrt(variance);
  const spare = predicted - seats - caution;
  const admits = (index: number, { cost, survival }: Newcomer) => {
    const server = servers[index] ?? { factor: 1 };
    const room = rooms[index] ?? 0;
    const each = seatOn(server, seatCost);
    return spare >= 0 && seatsIn(room, each) - seatsIn(room - cost * server.factor * survival, each) <= spare;
  };
  // In whole seats, what it uses may be one more than its share of a seat.
  const isAmple = ({ cost, survival }: Newcomer) => spare >= (cost * survival) / seatCost + 1;
  return { spare, predicted, rooms, ahead, isAmple, admits };
}

/** How many sessions fit into so many load points: the predicted load stays below the target, so in the room of exactly two there is place for one. */
export function seatsIn(room: number, cost: number): number {
  return Math.max(0, Math.ceil(room / cost) - 1);
}

const NO_CLASS = { points: 0, staying: 0 };
