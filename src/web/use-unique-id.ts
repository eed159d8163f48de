/**
 * An id for an element, different from all others of the page. The library's own `useId` counts anew after the root was drawn again, so that what opens later,
 * such as a server's panel, gets ids that are there already, and with them the names of other things.
 */
import { useState } from 'preact/hooks';

let given = 0;

export function useUniqueId(): string {
  const [id] = useState(() => `id${(given += 1)}`);
  return id;
}
