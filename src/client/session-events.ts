/** What a page or program asks for, and what it is sent. Types, and the error. */

export interface SessionOptions {
  /** The session server, such as `https://session.example.org`. In a page it may be relative to the page. */
  readonly server: string | URL;
  /** URL of the world or repository to run. Absent: any server may be chosen. */
  readonly project?: string;
  /** The code of a class. */
  readonly code?: string;
  /** What the server must have. The client then polls, because a WebSocket has no labels. */
  readonly labels?: Readonly<Record<string, string>>;
  /** `refuse`: wait rather than get a session that ends early, because a class comes. The client then polls. */
  readonly ends?: 'accept' | 'refuse';
  /** Gives the place up when it is aborted. The request then throws the reason of the signal. */
  readonly signal?: AbortSignal;
  /** Usually `sessionStorage`: a page that is loaded again finds its place in line again. */
  readonly resume?: PlaceStorage;
}

/** What is used of a `Storage`. */
export interface PlaceStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export type SessionEvent =
  | {
      readonly type: 'waiting';
      /** 1 is next. Absent: the server is the original, which has no waiting line. */
      readonly position?: number;
      /** The position is in the line of a class, which is served first. Absent: it is not. */
      readonly ofClass?: true;
      /** Expected wait in seconds. Absent: not known. */
      readonly estimate?: { readonly from: number; readonly to: number };
      /** Why no session can start now, in a sentence. */
      readonly reason?: string;
    }
  | {
      readonly type: 'reconnecting';
      /** 1 is the first. */
      readonly attempt: number;
    }
  /** Always the last. */
  | {
      readonly type: 'allocated';
      /** The client of the simulation connects to it, after appending `/client`. */
      readonly url: string;
      /** Identity of the simulation server. */
      readonly server?: string;
      /** Until then the place is reserved. */
      readonly expiresAt?: Date;
      /** The session is ended then, because a class needs its seat. Absent: it is not. */
      readonly until?: Date;
    };

/** The request failed, and its place in line is given up. The message is a sentence for people. */
export class SessionError extends Error {
  override readonly name = 'SessionError';
  /** A code of the API, or `network`: the server cannot be reached; or `protocol`: it sent something else. */
  readonly code: string;
  /** Seconds after which asking again makes sense. */
  readonly retryAfter: number | undefined;

  constructor(code: string, message: string, options: { readonly cause?: unknown; readonly retryAfter?: number } = {}) {
    super(message, options);
    this.code = code;
    this.retryAfter = options.retryAfter;
  }
}
