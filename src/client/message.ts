import { SessionError } from './session-events.ts';

/** A message of the WebSocket, or an answer of the API. */
export type Message = Readonly<Record<string, unknown>>;

/** Throws a `SessionError` with the code `protocol` if it is not an object in JSON. */
export function parseMessage(text: string): Message {
  try {
    const message: unknown = JSON.parse(text);
    if (typeof message === 'object' && message !== null) return message as Message;
  } catch {
    // As for other values.
  }
  throw new SessionError('protocol', `The session server sent something else than a message: ${text.slice(0, 80)}`);
}
