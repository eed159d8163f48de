/**
 * An id for an element, unique on the page. The library's own `useId` restarts counting when the root is drawn again,
 * so that something opened later, such as a server's panel, would get ids that are in use, and with them wrong labels.
 */
import { useState } from 'preact/hooks';

let given = 0;

export function useUniqueId(): string {
  const [id] = useState(() => `id${(given += 1)}`);
  return id;
}
