/** `GET /session` of the original session server, which has no waiting line (docs/reference/original-endpoints.md). Its WebSocket `/` says when to ask again. */
import type { Place } from './place.ts';
import { SessionError } from './session-events.ts';
import { sleep } from './sleep.ts';
import type { Transport } from './transport.ts';

/** Milliseconds between two requests, if the WebSocket says nothing. Twice as much at most, so that pages do not ask in step. */
const PAUSE = 5000;

export const askOriginal: Transport = async (place, signal) => {
  const socket = 'WebSocket' in globalThis ? new WebSocket(place.base.replace(/^http/, 'ws')) : undefined;
  try {
    for (;;) {
      const text = await textOf(place.sessionUrl);
      if (signal.aborted) return 'lost';
      if (/^wss?:/.test(text)) return place.receive({ type: 'allocated', url: text }) ? 'settled' : 'lost';
      const [, reason] = /^Error: (.+)/.exec(text) ?? [];
      if (reason === undefined) return place.heard ? 'lost' : 'absent';
      if (!reason.includes('available')) throw new SessionError('refused', reason);
      waiting(place, reason);
      await Promise.race([becomesAvailable(socket), sleep(PAUSE * (1 + Math.random()), signal)]);
    }
  } finally {
    socket?.close();
  }
};

function waiting(place: Place, reason: string): void {
  if (place.attempts > 0 || !place.heard) place.report({ type: 'waiting', reason });
  place.answered();
}

/** Empty: there is no answer. */
function textOf(url: string): Promise<string> {
  return fetch(url).then(
    (answer) => answer.text(),
    () => '',
  );
}

/** Perhaps never. */
function becomesAvailable(socket: WebSocket | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (socket !== undefined) socket.onmessage = ({ data }) => data === '1' && resolve();
  });
}
