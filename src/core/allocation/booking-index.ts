/** Finds remembered bookings by their own id, and by the id of the request they were made for. */
import type { Booking } from './booking.ts';

/** Characters. A client whose id is longer is not recognised when it asks again: the memory for ids is bounded. */
const MAX_REQUEST_LENGTH = 200;

export class BookingIndex {
  readonly #byId = new Map<string, Booking>();
  readonly #byRequest = new Map<string, Booking>();

  /** In the order in which they were added. */
  all(): Booking[] {
    return [...this.#byId.values()];
  }

  get(id: string): Booking | undefined {
    return this.#byId.get(id);
  }

  /** The last booking of the client, if the client can be recognized. */
  ofRequest(request: string): Booking | undefined {
    return this.#byRequest.get(request);
  }

  add(booking: Booking): void {
    this.#byId.set(booking.id, booking);
    if (booking.request !== '' && booking.request.length <= MAX_REQUEST_LENGTH) this.#byRequest.set(booking.request, booking);
  }

  delete(booking: Booking): void {
    this.#byId.delete(booking.id);
    if (this.#byRequest.get(booking.request) === booking) this.#byRequest.delete(booking.request);
  }
}
