/**
 * Every code that `/api/v1` answers with: what it means, and the status it is sent with. `npm run docs` writes them into
 * `docs/reference/api-codes.md`.
 */
import type { AnswerCode } from '../../core/views/explanation.ts';
import type { ProjectRule } from '../../core/fleet/project.ts';
import type { RouteRefusalCode } from '../../core/fleet/routing.ts';
import type { JoinRefusalCode } from '../../core/queue/waiting-line.ts';

export type RefusalStatus = 400 | 401 | 403 | 404 | 405 | 409 | 410 | 413 | 415 | 417 | 422 | 429 | 500 | 503;

export interface RefusalCode {
  readonly status: RefusalStatus;
  readonly meaning: string;
  /** Seconds for `Retry-After`, where asking again later makes sense and nothing better is known. */
  readonly retryAfter?: number;
}

type ProjectCode = `project-${ProjectRule}`;

const routing: Readonly<Record<RouteRefusalCode, RefusalCode>> = {
  'no-servers': { status: 503, meaning: 'The fleet is empty.', retryAfter: 60 },
  'no-server-has-labels': { status: 422, meaning: 'No server has all of the labels that were asked for.' },
  'no-server-allows-repository': {
    status: 403,
    meaning: 'No server, or none with these labels, will ever run projects of this repository.',
  },
};

const line: Readonly<Record<JoinRefusalCode, RefusalCode>> = {
  'waiting-line-full': {
    status: 503,
    meaning: 'The waiting line has its greatest length (`waiting.maxLength`).',
    retryAfter: 60,
  },
  'too-many-waiting': {
    status: 429,
    meaning: 'As many requests of this address wait as may (`waiting.maxPerAddress`).',
    retryAfter: 30,
  },
  'already-waiting': { status: 409, meaning: 'This request is in the waiting line already.' },
};

const project: Readonly<Record<ProjectCode, RefusalCode>> = {
  'project-empty': rule('The project URL is empty.'),
  'project-too-long': rule('It has more than 1000 characters.'),
  'project-control-character': rule('It contains an invisible character.'),
  'project-white-space': rule('It contains white space.'),
  'project-backslash': rule('It contains a backslash.'),
  'project-percent-encoding': rule('It contains a percent sign after decoding once.'),
  'project-scheme': rule('It does not begin with `https://`.'),
  'project-user-info': rule('It contains a user name before an `@`.'),
  'project-port': rule('It names a port.'),
  'project-host': rule('Projects may not come from this host (`projects.otherHosts`).'),
  'project-fragment': rule('It contains a `#`.'),
  'project-query': rule('It contains a question mark.'),
  'project-shell-metacharacter': rule('It contains a character with a meaning to shells.'),
  'project-character': rule('It contains a character that may not stand in one.'),
  'project-dot-segment': rule('It contains `..`, or a part that is a dot.'),
  'project-empty-segment': rule('It contains two slashes in a row, or one after the world.'),
  'project-leading-dash': rule('A part of it begins with a dash.'),
  'project-owner': rule('It has no valid owner after the host.'),
  'project-repository': rule('It has no valid repository name after the owner.'),
  'project-version': rule('It has no branch or tag after the repository.'),
  'project-world': rule('It does not end in the name of a world file.'),
};

type Codes = Readonly<Record<string, RefusalCode>>;

/** Of every route. */
const general: Codes = {
  'bad-request': { status: 400, meaning: 'Path, query or body cannot be understood; the reason names the place.' },
  'not-found': { status: 404, meaning: 'There is nothing at this path.' },
  'method-not-allowed': { status: 405, meaning: 'The path has other methods; they are in the header `Allow`.' },
  'too-large': { status: 413, meaning: 'The body is too large; for session requests, larger than `limits.bodyBytes`.' },
  'unsupported-media-type': { status: 415, meaning: 'The body was not sent as `application/json`.' },
  'expectation-failed': { status: 417, meaning: 'The request had a header `Expect` with something that is not supported.' },
  internal: { status: 500, meaning: 'The session server failed; its log says why.' },
};

/** Of session requests and tickets. */
const sessions: Codes = {
  'no-room': { status: 503, meaning: 'No server has room now; the reason says what each of them says.', retryAfter: 5 },
  'others-wait': {
    status: 503,
    meaning: 'There is room, but it is kept for those who wait already; take a place in line, or ask again.',
    retryAfter: 5,
  },
  ...routing,
  ...line,
  'too-many-requests': {
    status: 429,
    meaning: 'More session requests came from this address than `limits.rateBurst` and `limits.ratePerSecond` allow.',
    retryAfter: 1,
  },
  ...project,
};
const tickets: Codes = {
  'unknown-ticket': { status: 404, meaning: 'There is no such ticket, or its time is over.' },
  'continued-elsewhere': { status: 409, meaning: 'The place in line was taken over by another connection with the same ticket.' },
  'given-up': { status: 410, meaning: 'The place in line was given up by the holder of the ticket.' },
  lapsed: { status: 410, meaning: 'A place came free, but nobody asked for it within `waiting.resume` seconds.' },
};

/** Of reading and of acting. */
const monitor: Codes = {
  'unknown-server': { status: 404, meaning: 'There is no simulation server with this identity.' },
  'no-history': { status: 404, meaning: 'No history is kept of this server.' },
  'token-missing': { status: 401, meaning: 'A token is needed: `Authorization: Bearer TOKEN`.' },
  'token-wrong': { status: 401, meaning: 'The token is not one of those in `admin.tokens`.' },
  'token-read-only': { status: 403, meaning: 'The token may read and not act (`readOnly` in `admin.tokens`).' },
  'token-in-query': { status: 400, meaning: 'A token stood in the address, where logs keep it.' },
  'too-many-tries': { status: 429, meaning: 'Too many wrong tokens came from this address.' },
  'too-many-explanations': {
    status: 429,
    meaning: 'More explanations were asked for, by this address or in all, than are drawn up.',
    retryAfter: 1,
  },
  'no-tokens': { status: 403, meaning: 'No tokens are configured, so nobody may do this.' },
  csrf: { status: 403, meaning: 'The act did not come from the monitor page.' },
  'bad-server': { status: 400, meaning: 'This cannot stand in `simulationServers`.' },
  'known-server': { status: 409, meaning: 'The server is in the fleet already.' },
  'too-many-servers': { status: 409, meaning: 'No more servers can be added while running.' },
  'configured-server': { status: 409, meaning: 'The server stands in the configuration file and is removed there.' },
  'registered-server': {
    status: 409,
    meaning: 'The server registered itself and would do so again; it can be removed when it is down.',
  },
  'no-notifiers': { status: 409, meaning: 'Neither e-mail nor a webhook is configured.' },
};

/** Of simulation servers that register themselves. */
const registration: Codes = {
  'no-registration': { status: 403, meaning: 'Registration is switched off: `registration.token` is not set.' },
  'too-many-registrations': { status: 429, meaning: 'Too many registrations came from this address.' },
};

export const REFUSAL_CODES: Codes = { ...general, ...sessions, ...tickets, ...monitor, ...registration };

/** Codes with which a session request, and what became of it, can be refused. */
export const SESSION_CODES: Codes = { ...general, ...sessions };
export const TICKET_CODES: Codes = { ...SESSION_CODES, ...tickets };

/** Codes of an answer: what one server says to a session request. */
export const ANSWER_MEANINGS: Readonly<Record<AnswerCode, string>> = {
  chosen: 'It got the session.',
  first: 'It has room, and of those that have it would get the session.',
  'has-room': 'It has room; another server comes first, because it would be at less with the session.',
  'later-tier': 'It could take the session; servers that are there for this repository come first.',
  'last-resort': 'It was given sessions and still looks idle; it would get this one, because no other server has room.',
  draining: 'It drains: new sessions go elsewhere.',
  down: 'It is down.',
  unknown: 'It did not answer the last time, or not yet.',
  suspected: 'It was given sessions and still looks idle, so it is tried rarely.',
  'other-labels': 'It does not have the labels that were asked for.',
  'blocked-repository': 'It blocks this repository.',
  'other-repository': 'It does not allow this repository.',
  'not-idle': 'It shares only idle time with this repository, and is not idle.',
  'session-limit': 'It has as many sessions as it may have (`maxSessions`).',
  'no-room': 'The session would take its predicted load to `allocation.target`.',
  full: 'It reported a load at or above `loadThreshold`.',
  kept: 'It has room, but it is kept for others, who wait already.',
};

/** Codes of decisions and explanations that are no refusals. */
export const OTHER_MEANINGS: Readonly<Record<string, string>> = {
  allocated: 'Decision: the request got a server.',
  'client-gone': 'Decision: the client went away before it had a server.',
  stopped: 'Decision: the session server stopped before the client had a server.',
  open: 'Explanation: a request now would be allocated.',
};

/** The refusal that belongs to a code; a code nobody described is no fault of the client's. */
export function refusalCode(code: string): RefusalCode {
  return Object.hasOwn(REFUSAL_CODES, code) ? (REFUSAL_CODES[code] ?? UNDESCRIBED) : UNDESCRIBED;
}

const UNDESCRIBED: RefusalCode = { status: 503, meaning: 'The request is refused; the reason says why.' };

function rule(meaning: string): RefusalCode {
  return { status: 422, meaning };
}
