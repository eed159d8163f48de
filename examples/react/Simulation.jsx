import { useEffect, useState } from 'react';
import { requestSession } from 'session-server/client';

/** Asks for a session while it is on the page. `children` gets the address of the simulation server. */
export function Simulation({ server, project, children }) {
  const [event, setEvent] = useState();
  const [error, setError] = useState();

  useEffect(() => {
    // Aborted when the component goes away: the place in line is free at once.
    const request = new AbortController();
    const run = async () => {
      for await (const next of requestSession({ server, project, signal: request.signal })) setEvent(next);
    };
    run().catch((failure) => request.signal.aborted || setError(failure));
    return () => request.abort();
  }, [server, project]);

  if (event?.type === 'allocated') return children(event.url);
  return <p role="status">{error ? error.message : textOf(event)}</p>;
}

function textOf(event) {
  if (event === undefined) return 'Asking for a place…';
  if (event.type === 'reconnecting') return 'The connection was lost. Trying again…';
  return event.position === 1 ? 'You are next.' : `You are number ${event.position} in the queue.`;
}
