/**
 * Whether a session without a project can be started now: availability equals *a request now would be allocated*, and is published only when it changes.
 *
 * It is computed after every probe and every booking, so it looks at a single server as long as that one has room.
 */
import type { Candidates } from '../core/fleet/candidates.ts';
import type { Router } from '../core/fleet/routing.ts';
import type { Bookings } from './bookings.ts';
import { createTopic, type Topic } from './topic.ts';

export interface AvailabilityOptions {
  readonly router: Router;
  readonly bookings: Pick<Bookings, 'fits'>;
  /** Clients are waiting: room on a server does not mean that a request would get it. */
  readonly isWaiting: () => boolean;
  /** A request now would be allocated. */
  readonly isOpen: () => boolean;
}

export class Availability {
  readonly topic: Topic<boolean> = createTopic(false);
  readonly #options: AvailabilityOptions;
  /** A server that had room at the last search through the fleet. While it has room, no search is needed. */
  #roomy: Candidates | undefined;

  constructor(options: AvailabilityOptions) {
    this.#options = options;
  }

  /** To be called after every change that may matter. */
  publish(): void {
    const { isWaiting, isOpen } = this.#options;
    if (!isWaiting() && this.#hasRoom(this.#roomy)) {
      this.topic.publish(true);
      return;
    }
    const open = isOpen();
    this.#roomy = open ? this.#findRoom() : undefined;
    this.topic.publish(open);
  }

  #findRoom(): Candidates | undefined {
    const route = this.#options.router.route();
    if (route.kind === 'refused') return undefined;
    for (const tier of route.candidates.tiers) {
      for (const id of tier) {
        const alone: Candidates = { tiers: [[id]] };
        if (this.#hasRoom(alone)) return alone;
      }
    }
    return undefined;
  }

  /** Of one server. */
  #hasRoom(alone: Candidates | undefined): boolean {
    const { router, bookings } = this.#options;
    const id = alone?.tiers[0]?.[0];
    return alone !== undefined && id !== undefined && router.isAvailable(id) && bookings.fits(alone);
  }
}
