/** Asks a session server for a session, waits in line, and finds its place again after the connection was lost. */
import { askOriginal } from './original-transport.ts';
import { Place } from './place.ts';
import { askByPolling } from './polling-transport.ts';
import { SessionError, type SessionEvent, type SessionOptions } from './session-events.ts';
import { sleep } from './sleep.ts';
import { askBySocket } from './socket-transport.ts';

/** Best first. */
const TRANSPORTS = [askBySocket, askByPolling, askOriginal];
/** Milliseconds before each further try: together about as long as the server keeps a place. */
const PAUSES = [500, 1000, 2000, 4000, 8000, 10_000];

/**
 * Reports the position in line until a server is allocated, which is the last event. Leaving the loop, or aborting the signal, gives the place up. So does leaving
 * the page, unless the place is kept in a storage. Throws a `SessionError`, or the reason of the signal.
 */
export async function* requestSession(options: SessionOptions): AsyncGenerator<SessionEvent, void, undefined> {
  const { signal } = options;
  signal?.throwIfAborted();
  const place = new Place(options);
  let connection = connect(place);
  const giveUp = () => {
    place.giveUp();
    connection.abort();
  };
  const aborted = () => {
    giveUp();
    place.fail(signal?.reason);
  };
  // The page may come back from the memory of the browser. An open connection would keep it from going there.
  const hidden = () => {
    if (options.resume === undefined) place.giveUp(true);
    else place.socket?.close();
    connection.abort();
  };
  const shown = ({ persisted }: PageTransitionEvent) => {
    if (persisted) connection = connect(place);
  };
  const { document: page } = globalThis as { readonly document?: unknown };
  if (page !== undefined) {
    addEventListener('pagehide', hidden);
    addEventListener('pageshow', shown);
  }
  signal?.addEventListener('abort', aborted);
  try {
    for (let event; event?.type !== 'allocated';) yield (event = await place.next());
  } finally {
    signal?.removeEventListener('abort', aborted);
    if (page !== undefined) {
      removeEventListener('pagehide', hidden);
      removeEventListener('pageshow', shown);
    }
    giveUp();
  }
}

/** Resolves with the URL of the allocated server. `onChange` is called with each event. */
export async function waitForSession({
  onChange,
  ...options
}: SessionOptions & { readonly onChange?: (event: SessionEvent) => void }): Promise<string> {
  for await (const event of requestSession(options)) {
    onChange?.(event);
    if (event.type === 'allocated') return event.url;
  }
  throw new SessionError('protocol', 'The request ended without a result.');
}

/** Aborted, the connection ends. */
function connect(place: Place): AbortController {
  const connection = new AbortController();
  place.isAbandoned = false;
  tryAll(place, connection.signal).catch((error: unknown) => place.fail(error));
  return connection;
}

async function tryAll(place: Place, signal: AbortSignal): Promise<void> {
  for (;;) {
    const ask = TRANSPORTS[place.transport];
    const end = ask === undefined ? 'lost' : await ask(place, signal);
    if (end === 'settled' || signal.aborted) return;
    if (end === 'absent' && !place.heard) {
      place.transport += 1;
      continue;
    }
    if (!place.heard) place.transport = 0;
    const pause = PAUSES[place.attempts];
    if (pause === undefined) {
      place.forget();
      throw new SessionError('network', 'The session server cannot be reached.');
    }
    place.attempts += 1;
    place.report({ type: 'reconnecting', attempt: place.attempts });
    await sleep(pause * (0.5 + Math.random() / 2), signal);
  }
}
