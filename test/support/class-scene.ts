/** A reservation over the admission scene. */
import { ReservationBook } from '../../src/core/reservations/reservation-book.ts';
import type { Reservation } from '../../src/core/reservations/reservation.ts';
import { parseProject } from '../../src/core/fleet/project.ts';
import type { Outcome, SessionRequest } from '../../src/engine/request-types.ts';
import { PROJECT, start } from './admission-scene.ts';

export { PROJECT };

export function classOf(changed: Partial<Reservation> & Pick<Reservation, 'start' | 'seats'>): Reservation {
  return {
    ...{ id: 'r', title: 'Robots', code: 'ROBO1', match: 'code', end: changed.start + 3600, opens: 600, grace: 600 },
    ...{ owner: 'ada', revision: 0, released: false, ...changed },
  };
}

export function keyOf(url: string): string | undefined {
  const read = parseProject(url);
  return read.kind === 'project' ? read.project.key : undefined;
}

export function startWithClass(loads: Readonly<Record<string, number>>, ...reservations: readonly Reservation[]) {
  const book = new ReservationBook(keyOf);
  for (const reservation of reservations) book.put(reservation);
  const scene = start(loads, { book });
  const asked = (address: string, request: Partial<SessionRequest>): SessionRequest => ({
    address: { address, limitKey: address },
    ...request,
  });
  return {
    ...{ scene, book },
    request: (address: string, request: Partial<SessionRequest>) => scene.requests.request(asked(address, request)),
    wait: async (address: string, request: Partial<SessionRequest>) => {
      let position: number | undefined;
      let outcome: Outcome | undefined;
      await scene.queue.wait(asked(address, request), {
        changed: (waiting) => (position = waiting.position),
        settled: (settled) => (outcome = settled),
        gone: new AbortController().signal,
        keepPlace: false,
      });
      return { position: () => position, outcome: () => outcome };
    },
  };
}
