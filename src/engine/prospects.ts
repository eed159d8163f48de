/**
 * What a request would get now: whether a server has room for it, and which servers are reserved for clients already in line. It changes nothing.
 *
 * A request that does not wait never overtakes those in line, except by the backfill rule (docs/design/allocation.md, "Queue").
 */
import type { Candidates } from '../core/fleet/candidates.ts';
import type { Project } from '../core/fleet/project.ts';
import type { Labels, Router } from '../core/fleet/routing.ts';
import type { Backfill } from '../core/queue/backfill.ts';
import type { Ticket, Want } from '../core/queue/line-order.ts';
import type { WaitingLine } from '../core/queue/waiting-line.ts';
import type { Clock } from '../ports.ts';
import { Availability } from './availability.ts';
import type { Classes } from './reservations.ts';
import type { Bookings } from './bookings.ts';
import { heldForClass } from './class-words.ts';
import type { HandOut } from './decision-log.ts';
import type { RequestRouting } from './request-routing.ts';
import type { Topic } from './topic.ts';

export interface ProspectsOptions {
  readonly clock: Clock;
  readonly bookings: Pick<Bookings, 'fits' | 'isUnconfirmed'>;
  readonly router: Router;
  readonly routing: RequestRouting;
  readonly line: WaitingLine;
  readonly classes?: Classes;
}

export type Prospect =
  | { readonly kind: 'open' }
  | { readonly kind: 'no-room' }
  | { readonly kind: 'others-wait'; readonly reason: string }
  /** `reservation`: identity of the one for which the room is held. */
  | { readonly kind: 'held-for-class'; readonly reason: string; readonly reservation: string };

export class Prospects {
  /** Can a session without a project be started now. */
  readonly availability: Topic<boolean>;
  readonly #options: ProspectsOptions;
  readonly #availability: Availability;

  constructor(options: ProspectsOptions) {
    this.#options = options;
    this.#availability = new Availability({
      ...options,
      isWaiting: () => options.line.length > 0,
      isOpen: () => this.prospect().kind === 'open',
    });
    this.availability = this.#availability.topic;
  }

  /** To be called after every change that can make room or take it away. */
  publish(): void {
    this.#availability.publish();
  }

  /** What a request would get now, as far as this can be known without serving the line. */
  prospect(project?: Project, labels?: Labels): Prospect {
    const { bookings, router, line, classes, clock } = this.#options;
    const route = router.route(project, labels);
    if (route.kind === 'refused') return { kind: 'no-room' };
    if (!bookings.fits(route.candidates, project?.key)) {
      const held = classes?.heldFor(route.candidates, project?.key);
      if (held === undefined) return { kind: 'no-room' };
      return { kind: 'held-for-class', reason: heldForClass(held, clock.wallTime()), reservation: held.id };
    }
    const unreserved = this.#unreservedOf(route.candidates, project, labels);
    if (unreserved === route.candidates || bookings.fits(unreserved, project?.key)) return { kind: 'open' };
    return { kind: 'others-wait', reason: othersWait(line.length) };
  }

  /** The servers that may run it now, and those of them that are not reserved for clients in line. `undefined`: none will ever run it. */
  unreservedFor(
    project?: Project,
    labels?: Labels,
  ): (Pick<HandOut, 'candidates' | 'unreserved'> & { readonly permitted: Candidates }) | undefined {
    const route = this.#options.router.route(project, labels);
    if (route.kind === 'refused') return undefined;
    const { candidates } = route;
    const permitted = this.permitted(candidates, project);
    return { candidates, permitted, unreserved: this.#unreservedOf(candidates, project, labels) };
  }

  /** The servers of these whose room is not held for classes. */
  permitted(candidates: Candidates, project?: Project): Candidates {
    return this.#options.classes?.permitted(candidates, project?.key) ?? candidates;
  }

  /** Whether a request that is not in line may be served before those that are, and by which servers. */
  backfill(want: Want): Backfill {
    const { line, clock, bookings, routing } = this.#options;
    const fits = (other: Ticket, candidates: Candidates) =>
      other.reservation === undefined && bookings.isUnconfirmed(other.address)
        ? undefined
        : bookings.fits(candidates, routing.route(other).project?.key, other);
    return line.mayBackfill(want, clock.now(), routing.candidatesOf, fits);
  }

  /** No servers while the line has to be served first. */
  #unreservedOf(candidates: Candidates, project: Project | undefined, labels: Labels | undefined): Candidates {
    const { line, routing } = this.#options;
    if (line.length === 0) return candidates;
    const backfill = this.backfill(routing.want(project, labels));
    return backfill.kind === 'yes' ? backfill.candidates : NONE;
  }
}

const NONE: Candidates = { tiers: [] };

/** For a client that is refused although a server has room. */
export function othersWait(count: number): string {
  const clients = count === 1 ? 'a client already waiting' : `the ${count} clients already waiting`;
  return `Free capacity is reserved for ${clients}; take a place in line, or try again in a moment.`;
}
