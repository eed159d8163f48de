/**
 * The origin of the pages on which operators sign in and act.
 *
 * Below `/PORT/`, simulation servers answer with scripts of the authors of projects. Where these pages share the origin of
 * the monitor page, a browser lets them do whatever the page can do. `monitor.origin` gives operators an origin of their
 * own: a browser session exists only there, and acts only on requests of pages from there. Without it, a browser session
 * reads, and each action needs the token again.
 *
 * `Host` and `Origin` are headers that no script can set (Fetch § 2.2.2, forbidden request-headers). `X-Forwarded-Host` is
 * not one of them, so it is not believed here: the reverse proxy has to pass `Host` on.
 */
import type { IncomingMessage } from 'node:http';
import { hostOf, isSameOrigin, isSameSite } from '../server/same-origin.ts';

export interface OperatorsOriginOptions {
  /** `monitor.origin`, as configured now. */
  readonly origin: () => string | undefined;
  /** The pages of simulation servers have the origin of this site. */
  readonly sharesSite: () => boolean;
}

export class OperatorsOrigin {
  readonly #options: OperatorsOriginOptions;

  constructor(options: OperatorsOriginOptions) {
    this.#options = options;
  }

  /** Where operators sign in, if that is not where this request was sent. */
  elsewhere(request: IncomingMessage): string | undefined {
    const origin = this.#own();
    return origin === undefined || hostOf(request) === new URL(origin).host ? undefined : origin;
  }

  /** A page of a simulation server can do on this site whatever a browser session can do. */
  isShared(): boolean {
    return this.#own() === undefined && this.#options.sharesSite();
  }

  /** The request was sent by a page of this origin, or by a program. Browsers name the origin of everything that is not GET or HEAD. */
  isOfPage(request: IncomingMessage): boolean {
    const { origin, 'sec-fetch-site': site } = request.headers;
    const own = this.#own();
    if (own !== undefined) return origin === undefined ? isSameSite(site) : origin === own;
    return isSameOrigin(request);
  }

  #own(): string | undefined {
    const origin = this.#options.origin();
    return origin === undefined ? undefined : new URL(origin).origin;
  }
}
