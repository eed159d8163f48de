/** The client package `session-server/client`, also served as `/client/v1.js`. */
export { hasPlace } from './place.ts';
export { requestSession, waitForSession } from './request-session.ts';
export { SessionError, type PlaceStorage, type SessionEvent, type SessionOptions } from './session-events.ts';
