/** The state of the fleet in the words of a language. */
import { fill, type Texts } from '../../core/languages/texts.ts';
import { prospectOf, type Prospect, type VisitorView } from '../../core/views/visitor-view.ts';

export function prospectText(texts: Texts, prospect: Prospect): string {
  return { open: texts.available, full: texts.unavailable, silent: texts.silent, empty: texts.empty }[prospect];
}

/** What to do. */
export function prospectAction(texts: Texts, prospect: Prospect): string {
  return { open: texts.welcome, full: texts.keepOpen, silent: texts.silentAction, empty: texts.emptyAction }[prospect];
}

export function startText(texts: Texts, prospect: Prospect): string {
  return prospect === 'open' ? texts.start : texts.wait;
}

export interface FleetNumber {
  readonly name: string;
  readonly label: string;
  readonly value: number;
  /** It is shown only while it is not 0. */
  readonly quiet: boolean;
}

export function fleetNumbers(texts: Texts, { machines, places, waiting, silent, drained }: VisitorView): readonly FleetNumber[] {
  return [
    { name: 'machines', label: texts.machines, value: machines, quiet: false },
    { name: 'places', label: texts.places, value: places, quiet: false },
    { name: 'waiting', label: texts.inLine, value: waiting, quiet: false },
    { name: 'silent', label: texts.unanswering, value: silent, quiet: true },
    { name: 'drained', label: texts.maintained, value: drained, quiet: true },
  ];
}

/** Why a client waits. */
export function waitingReason(texts: Texts, fleet: VisitorView): string {
  const prospect = prospectOf(fleet);
  if (prospect === 'silent') return texts.silent;
  if (prospect === 'empty') return texts.empty;
  const parts = [
    prospect === 'open' || fleet.places > 0 ? texts.orderReason : texts.busyReason,
    fleet.silent > 0 ? fill(texts.silentReason, { count: String(fleet.silent) }) : '',
    fleet.drained > 0 ? fill(texts.maintainedReason, { count: String(fleet.drained) }) : '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}
