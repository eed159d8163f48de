/** What the pages for visitors show of the fleet: enough to say whether to start, wait or ask for help, and no names. */
import type { ServerState } from '../fleet/fleet.ts';
import type { FleetView } from './monitor-view.ts';

export interface VisitorView {
  /** A session can start now. */
  readonly open: boolean;
  /** Average sessions that fit now. */
  readonly places: number;
  /** Clients in line. */
  readonly waiting: number;
  readonly machines: number;
  /** Of these: machines that do not answer. */
  readonly silent: number;
  /** Of these: machines that an operator has drained. */
  readonly drained: number;
}

export function visitorView(fleet: Pick<FleetView, 'open' | 'places' | 'waiting'>, states: readonly ServerState[]): VisitorView {
  const count = (...wanted: ServerState[]) => states.filter((state) => wanted.includes(state)).length;
  return {
    ...{ open: fleet.open, places: fleet.places, waiting: fleet.waiting.length },
    ...{ machines: states.length, silent: count('down', 'unknown'), drained: count('draining') },
  };
}

/** What a visitor can do: start, wait in line, come back later, or ask the operator. */
export type Prospect = 'open' | 'full' | 'silent' | 'empty';

export function prospectOf({ open, machines, silent }: VisitorView): Prospect {
  if (open) return 'open';
  if (machines === 0) return 'empty';
  return silent === machines ? 'silent' : 'full';
}
