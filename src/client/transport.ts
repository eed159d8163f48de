import type { Place } from './place.ts';

/** How a transport ended. `absent`: the server does not have it. `lost`: another try may succeed. */
export type End = 'settled' | 'lost' | 'absent';

/** A way to ask for a session. Rejects with the reason why the request failed. It ends when the signal is aborted, and leaves the place in line as it is. */
export type Transport = (place: Place, signal: AbortSignal) => Promise<End>;
