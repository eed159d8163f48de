/**
 * Every code in the responses of `/api/v1`: its meaning and its status. `npm run docs` writes them into
 * `docs/reference/api-codes.md`.
 */
import type { AnswerCode } from '../../core/views/explanation.ts';
import type { ProjectRule } from '../../core/fleet/project.ts';
import type { RouteRefusalCode } from '../../core/fleet/routing.ts';
import type { JoinRefusalCode } from '../../core/queue/waiting-line.ts';

export type RefusalStatus = 400 | 401 | 403 | 404 | 405 | 409 | 410 | 413 | 415 | 417 | 422 | 426 | 429 | 500 | 503;

export interface RefusalCode {
  readonly status: RefusalStatus;
  readonly meaning: string;
  /** Seconds for `Retry-After`, where trying again later makes sense and nothing better is known. */
  readonly retryAfter?: number;
}

type ProjectCode = `project-${ProjectRule}`;

const routing: Readonly<Record<RouteRefusalCode, RefusalCode>> = {
  'no-servers': { status: 503, meaning: 'The fleet is empty.', retryAfter: 60 },
  'no-server-has-labels': { status: 422, meaning: 'No server has all of the requested labels.' },
  'no-server-allows-repository': {
    status: 403,
    meaning: 'No server, or none with these labels, allows projects of this repository.',
  },
};

const line: Readonly<Record<JoinRefusalCode, RefusalCode>> = {
  'waiting-line-full': {
    status: 503,
    meaning: 'The waiting line is full (`waiting.maxLength`).',
    retryAfter: 60,
  },
  'too-many-waiting': {
    status: 429,
    meaning: 'Too many requests from this address are already waiting (`waiting.maxPerAddress`).',
    retryAfter: 30,
  },
  'already-waiting': { status: 409, meaning: 'This request is already in the waiting line.' },
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
  'project-host': rule('Projects from this host are not allowed (`projects.otherHosts`).'),
  'project-fragment': rule('It contains a `#`.'),
  'project-query': rule('It contains a question mark.'),
  'project-shell-metacharacter': rule('It contains a character with a special meaning in shells.'),
  'project-character': rule('It contains a character that is not allowed.'),
  'project-dot-segment': rule('It contains the part `.` or `..`.'),
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
  'bad-request': { status: 400, meaning: 'The path, query or body is not valid. The reason says where.' },
  'not-found': { status: 404, meaning: 'There is nothing at this path.' },
  'method-not-allowed': { status: 405, meaning: 'This method is not allowed here. See the `Allow` header.' },
  'too-large': { status: 413, meaning: 'The body is too large. For session requests, the maximum is `limits.bodyBytes`.' },
  'unsupported-media-type': { status: 415, meaning: 'The body was not sent as `application/json`.' },
  'expectation-failed': { status: 417, meaning: 'The request has an `Expect` header with an unsupported value.' },
  'upgrade-required': { status: 426, meaning: 'A reverse proxy dropped the `Upgrade` header of a WebSocket.' },
  internal: { status: 500, meaning: 'Internal error; see the log of the session server.' },
};

/** Of session requests and tickets. */
const sessions: Codes = {
  'no-room': { status: 503, meaning: 'No server has room now. The reason covers each server.', retryAfter: 5 },
  'others-wait': {
    status: 503,
    meaning: 'There is room, but it is reserved for clients already waiting. Join the waiting line, or try again.',
    retryAfter: 5,
  },
  'held-for-class': {
    status: 503,
    meaning: 'There is room, but it is held for people of a class. Join the waiting line, or try again.',
    retryAfter: 30,
  },
  'store-unreachable': {
    status: 503,
    meaning: 'The replicas of the session server cannot agree, because their shared store does not answer.',
    retryAfter: 2,
  },
  'unknown-code': { status: 422, meaning: 'There is no class with this code.' },
  'too-many-codes': {
    status: 429,
    meaning: 'Too many wrong codes of classes came from this address, or from this teacher.',
    retryAfter: 6,
  },
  'class-not-open': { status: 409, meaning: 'The seats of this class cannot be taken now. The reason says when.' },
  ...routing,
  ...line,
  'too-many-requests': {
    status: 429,
    meaning: 'This address sent more session requests than `limits.rateBurst` and `limits.ratePerSecond` allow.',
    retryAfter: 1,
  },
  ...project,
};
const tickets: Codes = {
  'unknown-ticket': { status: 404, meaning: 'The ticket is unknown or has expired.' },
  'continued-elsewhere': { status: 409, meaning: 'Another connection continued with the same ticket.' },
  'given-up': { status: 410, meaning: 'The client gave up its place in line.' },
  'removed-by-operator': { status: 410, meaning: 'An operator removed the request from the waiting line.' },
  lapsed: { status: 410, meaning: 'A server became available, but the client did not poll within `waiting.resume` seconds.' },
};

/** Of reading the monitor and of operator actions. */
const monitor: Codes = {
  'unknown-server': { status: 404, meaning: 'There is no simulation server with this identity.' },
  'nothing-learned': { status: 404, meaning: 'Nothing was learned about this project.' },
  'no-history': { status: 404, meaning: 'There is no history of this server.' },
  'token-missing': { status: 401, meaning: 'A token is required: `Authorization: Bearer TOKEN`.' },
  'token-wrong': { status: 401, meaning: 'The token is not in `admin.tokens`.' },
  'token-read-only': { status: 403, meaning: 'The token is read-only (`role` in `admin.tokens`).' },
  'token-teacher': { status: 403, meaning: 'The token is for reservations only (`role` in `admin.tokens`).' },
  'token-in-query': { status: 400, meaning: 'The URL contained a token, and logs keep URLs.' },
  'too-many-tries': { status: 429, meaning: 'Too many wrong tokens from this address.' },
  'too-many-explanations': {
    status: 429,
    meaning: 'Too many explain requests, from this address or in total. Try again shortly.',
    retryAfter: 1,
  },
  'no-tokens': { status: 403, meaning: 'No tokens are configured, so this is not possible.' },
  'token-again': {
    status: 401,
    meaning: 'A browser session is not enough for an action, because `monitor.origin` is not set: send the token.',
  },
  'other-origin': { status: 403, meaning: 'Operators sign in at `monitor.origin`.' },
  csrf: { status: 403, meaning: 'The request did not come from the monitor page.' },
  'bad-server': { status: 400, meaning: 'This is not a valid entry of `simulationServers`.' },
  'known-server': { status: 409, meaning: 'The server is already in the fleet.' },
  'too-many-servers': { status: 409, meaning: 'The maximum number of added servers is reached.' },
  'configured-server': { status: 409, meaning: 'The server is listed in the configuration file; remove it there.' },
  'registered-server': {
    status: 409,
    meaning: 'The server registered itself and would do so again. It can be removed when it is down.',
  },
  'unknown-request': { status: 404, meaning: 'This request is not in the waiting line.' },
  'unknown-session': { status: 404, meaning: 'There is no such session, or it has ended.' },
  'unknown-maintenance': { status: 404, meaning: 'There is no planned maintenance with this identity.' },
  'not-through-gateway': {
    status: 409,
    meaning: 'The client is connected to its simulation server directly, so only that server can end the session.',
  },
  'no-server-has-label': { status: 404, meaning: 'No server has this label.' },
  'too-many-maintenances': { status: 409, meaning: 'The maximum number of planned maintenances is reached; cancel some.' },
  'no-notifiers': { status: 409, meaning: 'Neither e-mail nor a webhook is configured.' },
};

/** Of reservations. */
const reservations: Codes = {
  'unknown-reservation': { status: 404, meaning: 'There is no reservation with this identity.' },
  quota: { status: 403, meaning: 'The `quota` of this token in `admin.tokens` does not allow it. The reason has the numbers.' },
  'over-capacity': { status: 409, meaning: 'The fleet has too few seats at that time. The reason has the numbers.' },
  'code-in-use': { status: 409, meaning: 'Another reservation that is not over has this code.' },
  'too-many-reservations': { status: 409, meaning: 'The maximum number of reservations is reached.' },
  'rehearsal-running': { status: 429, meaning: 'Another rehearsal with `waits` runs.', retryAfter: 15 },
  'reservation-over': { status: 409, meaning: 'The reservation is over, or it is too late to move it.' },
  'no-server-for-project': { status: 422, meaning: 'No server that is up may run this project.' },
};

/** Of simulation servers that register themselves. */
const registration: Codes = {
  'no-registration': { status: 403, meaning: 'Registration is switched off because `registration.token` is not set.' },
  'too-many-registrations': { status: 429, meaning: 'Too many registrations from this address.' },
};

export const REFUSAL_CODES: Codes = { ...general, ...sessions, ...tickets, ...monitor, ...reservations, ...registration };

/** Codes of every route. */
export const GENERAL_CODES: Codes = general;
/** Codes of refused session requests. */
export const SESSION_CODES: Codes = { ...general, ...sessions };
export const TICKET_CODES: Codes = { ...SESSION_CODES, ...tickets };

/** Codes of an answer: the verdict of one server on a session request. */
export const ANSWER_MEANINGS: Readonly<Record<AnswerCode, string>> = {
  chosen: 'It got the session.',
  first: 'It has room and would get the session.',
  'has-room': 'It has room, but another server would be less loaded with the session.',
  'later-tier': 'It could take the session, but servers dedicated to this repository come first.',
  'last-resort': 'It looks idle although it was given sessions. It would get this one because no other server has room.',
  draining: 'It is draining: it gets no new sessions.',
  down: 'It is down.',
  unknown: 'It did not answer the last probe, has not been probed yet, or reports load only.',
  suspected: 'It looks idle although it was given sessions, so it is tried rarely.',
  'other-labels': 'It does not have the requested labels.',
  'blocked-repository': 'It blocks this repository.',
  'other-repository': 'It does not allow this repository.',
  'not-idle': 'It accepts this repository only while idle, and it is not idle.',
  'session-limit': 'It has reached its maximum number of sessions (`maxSessions`).',
  'no-room': 'The session would raise its predicted load to `allocation.target`.',
  full: 'It reported a load at or above `loadThreshold`.',
  kept: 'It has room, but is reserved for clients already waiting.',
  held: 'It has room, but it is held for a class.',
};

/** Codes of decisions and explanations that are not refusals. */
export const OTHER_MEANINGS: Readonly<Record<string, string>> = {
  allocated: 'Decision: the request got a server.',
  'client-gone': 'Decision: the client disconnected before it got a server.',
  stopped: 'Decision: the session server stopped before the client got a server.',
  open: 'Explanation: a request now would be allocated.',
};

/** The refusal of a code. A code without a description is not the client's fault. */
export function refusalCode(code: string): RefusalCode {
  return Object.hasOwn(REFUSAL_CODES, code) ? (REFUSAL_CODES[code] ?? UNDESCRIBED) : UNDESCRIBED;
}

const UNDESCRIBED: RefusalCode = { status: 503, meaning: 'The request is refused. See the reason.' };

function rule(meaning: string): RefusalCode {
  return { status: 422, meaning };
}
