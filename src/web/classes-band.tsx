/** @jsxRuntime automatic @jsxImportSource preact */
/** What is reserved for classes now, until when, and why other clients may be refused although there is room. */
import type { FleetClassView } from '../core/views/monitor-view.ts';
import { OfClass } from './class-names.tsx';
import { plural, type Format } from './format.ts';
import { useFormat } from './format-context.ts';

export function ClassesBand({ classes }: { readonly classes: readonly FleetClassView[] }) {
  const format = useFormat();
  if (classes.length === 0) return null;
  return (
    <section class="card classes" aria-label="Classes">
      <h2>Classes</h2>
      <ul>
        {classes.map((one) => (
          <li key={one.id}>
            <b>
              {format.minute(one.start)} to {format.minute(one.end)}
            </b>
            : {stateInWords(one, format)}{' '}
            {isShort(one) && <span class="short">Only {one.predicted} of them will be free in time.</span>}
            <OfClass reservation={one.id} />
          </li>
        ))}
      </ul>
      {classes.some(({ held }) => held > 0) && (
        <p class="muted">
          Held seats are sessions on any server, not whole machines. A client without a seat gets a session only where it leaves
          enough room for them. The bars of the servers show where they will probably be.
        </p>
      )}
    </section>
  );
}

function stateInWords({ state, seats, taken, held, doors, heldUntil }: FleetClassView, format: Format): string {
  const takenOf = `${taken} of ${plural(seats, 'seat')} taken`;
  const until = held === 0 ? 'none held' : `${held} held until ${format.minute(heldUntil)}`;
  switch (state) {
    case 'planned':
    case 'gathering':
      return `${plural(seats, 'seat')} can be taken from ${format.minute(doors)}. Others get a session only if the seats will be free in time.`;
    case 'open':
      return `the doors are open. ${takenOf}, ${until}.`;
    case 'running':
      return `it has begun. ${takenOf}, ${until}.`;
    case 'easing':
      return `free seats go back to others. ${takenOf}, ${held} held.`;
    case 'released':
    case 'over':
      return `no seat is held any more. ${takenOf}.`;
  }
}

function isShort({ predicted, held }: FleetClassView): boolean {
  return predicted !== null && predicted < held;
}
