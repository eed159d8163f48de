/** @jsxRuntime automatic @jsxImportSource preact */
/** What is reserved for classes now, and why other clients may be refused although there is room. */
import type { FleetClassView } from '../core/views/monitor-view.ts';
import { plural } from './format.ts';
import { useFormat } from './format-context.ts';

export function ClassesBand({ classes }: { readonly classes: readonly FleetClassView[] }) {
  const format = useFormat();
  if (classes.length === 0) return null;
  return (
    <section class="card classes" aria-label="Classes">
      <h2>Classes</h2>
      <ul>
        {classes.map((one) => (
          <li key={`${one.start} ${one.end} ${one.seats}`}>
            <b>
              {format.clock(one.start)} to {format.clock(one.end)}
            </b>
            : {stateInWords(one)} {seatsInWords(one)}{' '}
            {isShort(one) && <span class="short">Only {one.predicted} of them will be free in time.</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function stateInWords({ state }: FleetClassView): string {
  switch (state) {
    case 'planned':
    case 'gathering':
      return 'seats are being gathered. Others get a session only if the seats will be free in time.';
    case 'open':
      return 'the doors are open.';
    case 'running':
      return 'it has begun.';
    case 'easing':
      return 'free seats go back to others.';
    case 'released':
    case 'over':
      return 'no seat is held any more.';
  }
}

function seatsInWords({ seats, taken, held }: FleetClassView): string {
  return `${taken} of ${plural(seats, 'seat')} taken, ${held} held.`;
}

function isShort({ predicted, held }: FleetClassView): boolean {
  return predicted !== null && predicted < held;
}
