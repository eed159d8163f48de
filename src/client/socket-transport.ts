/** WebSocket `/session` with the subprotocol `session-server.v1` (docs/reference/websocket.md). */
import { parseMessage } from './message.ts';
import type { End, Transport } from './transport.ts';

export const askBySocket: Transport = (place, signal) => {
  const { labels, ends } = place.options;
  // Node.js 20 has no WebSocket, and the socket has neither of these.
  if (!('WebSocket' in globalThis) || labels !== undefined || ends === 'refuse') return Promise.resolve('absent');
  const socket = new WebSocket(place.sessionUrl.replace(/^http/, 'ws'), 'session-server.v1');
  place.socket = socket;
  return new Promise((resolve, reject) => {
    let end: End = 'absent';
    socket.onopen = () => (end = 'lost');
    socket.onmessage = ({ data }) => {
      if (signal.aborted) return;
      try {
        if (!place.receive(parseMessage(String(data)))) return;
        // Not left to the server: the page may navigate to the simulation at once.
        socket.close(1000);
        resolve('settled');
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    socket.onclose = () => resolve(end);
    signal.addEventListener('abort', () => resolve('lost'));
  });
};
