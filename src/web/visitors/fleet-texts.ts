/** The state of the fleet in the words of a language. */
import { fill, numberText, type Texts } from '../../core/languages/texts.ts';
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
  /** The value in the language of the texts. */
  readonly text: string;
  /** It is shown only while it is not 0. */
  readonly quiet: boolean;
}

export function fleetNumbers(texts: Texts, { machines, places, waiting, silent, drained }: VisitorView): readonly FleetNumber[] {
  const numbers = [
    { name: 'machines', label: texts.machines, value: machines, quiet: false },
    { name: 'places', label: texts.places, value: places, quiet: false },
    { name: 'waiting', label: texts.inLine, value: waiting, quiet: false },
    { name: 'silent', label: texts.unanswering, value: silent, quiet: true },
    { name: 'drained', label: texts.maintained, value: drained, quiet: true },
  ];
  return numbers.map((number) => ({ ...number, text: numberText(texts, number.value) }));
}

/** Why a client waits. */
export function waitingReason(texts: Texts, fleet: VisitorView): string {
  const prospect = prospectOf(fleet);
  if (prospect === 'silent') return texts.silent;
  if (prospect === 'empty') return texts.empty;
  const parts = [
    prospect === 'open' || fleet.places > 0 ? texts.orderReason : texts.busyReason,
    fleet.silent > 0 ? fill(texts.silentReason, { count: numberText(texts, fleet.silent) }) : '',
    fleet.drained > 0 ? fill(texts.maintainedReason, { count: numberText(texts, fleet.drained) }) : '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** Seconds. */
export interface Estimate {
  readonly from: number;
  readonly to: number;
}

/** How long a client will wait. */
export function estimateText(texts: Texts, range: Estimate | undefined): string {
  if (range === undefined) return texts.noEstimate;
  if (range.to <= 60) return texts.soon;
  const [from, to] = [Math.max(1, Math.floor(range.from / 60)), Math.ceil(range.to / 60)];
  const [first, last] = [numberText(texts, from), numberText(texts, to)];
  return fill(texts.estimate, { minutes: from === to ? last : `${first}–${last}` });
}
