/** @jsxRuntime automatic @jsxImportSource preact */
/** What an operator wants to see from across the room: whether a session can start now, and how busy the fleet is. */
import type { ComponentChildren } from 'preact';
import type { FleetView, ServerView } from '../core/views/monitor-view.ts';
import { duration, plural, type Format } from './format.ts';
import { useFormat } from './format-context.ts';
import { isWithoutRoom, type Health } from './health.ts';
import { Problems } from './problems.tsx';
import { countStates } from './state-mark.tsx';

interface SummaryProps {
  readonly fleet: FleetView;
  readonly servers: readonly ServerView[];
  readonly health: Health;
  /** When contact was lost, milliseconds since the epoch. */
  readonly staleSince: number | undefined;
  /** A time of the present day, in seconds since the epoch. */
  readonly today: number;
  /** The viewer wants to see the refusals. Absent before any script has run. */
  readonly onRefused?: () => void;
}

export function Summary({ fleet, servers, health, staleSince, today, onRefused }: SummaryProps) {
  const format = useFormat();
  const { waiting } = fleet;
  return (
    <section class={`card summary ${health}`} aria-label="Current state">
      <div class="availability">
        <AvailabilitySign health={health} />
        <div>
          <p class="sentence">
            {staleSince === undefined
              ? fleet.availability
              : `No contact with the session server since ${format.dayAndClock(staleSince / 1000)}.`}
          </p>
          <p class="muted">{staleSince === undefined ? stateSentence(servers) : 'All figures are from that time.'}</p>
        </div>
      </div>
      <dl class="figures">
        <Figure name="places left" value={format.count(fleet.places)} note={placesNote(fleet, format)} />
        <Figure name="waiting" value={format.count(waiting.length)} note={waitingNote(fleet)} />
        <Figure
          name="mean load"
          value={format.load(fleet.meanLoad)}
          note={fleet.meanPredicted === null ? 'no server answers' : `${format.load(fleet.meanPredicted)} predicted`}
        />
        <Figure
          name="handed out"
          value={format.count(fleet.handedOutLastHour)}
          note={<HandOutNote fleet={fleet} onRefused={onRefused} />}
        />
      </dl>
      <Problems servers={servers} today={today} live={onRefused !== undefined} />
    </section>
  );
}

export function AvailabilitySign({ health }: { readonly health: Health }) {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true">
      <path d={SIGNS[health]} fill-rule="evenodd" />
    </svg>
  );
}

interface HandOutNoteProps {
  readonly fleet: FleetView;
  readonly onRefused: (() => void) | undefined;
}

function HandOutNote({ fleet, onRefused }: HandOutNoteProps) {
  const { refusedLastHour: refused, arrivedShare, counted } = fleet;
  const text = `${useFormat().count(refused)} refused`;
  const arrived = arrivedShare === null ? '' : `, about ${Math.round(100 * arrivedShare)}% of sessions started`;
  return (
    <>
      in the last hour,{' '}
      {refused === 0 || onRefused === undefined ? (
        text
      ) : (
        <a href="#decisions" onClick={onRefused}>
          {text}
        </a>
      )}
      {arrived}
      {counted !== null && `, a session lasts ${duration(counted.sessionLength)} on average`}
    </>
  );
}

interface FigureProps {
  readonly name: string;
  readonly value: string;
  readonly note: ComponentChildren;
}

function Figure({ name, value, note }: FigureProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="value">{value}</dd>
      <dd class="muted">{note}</dd>
    </div>
  );
}

/** The number is an estimate as long as the cost of a session is one. */
function placesNote({ placesRange: { from, to }, target, counted, places }: FleetView, format: Format): string {
  const range = from === to ? '' : `${format.count(from)} to ${format.count(to)}, `;
  const soon = counted === null ? null : counted.places;
  const later = soon === null || soon <= places ? '' : `, about ${format.count(soon)} within two minutes`;
  return `${range}average sessions until ${format.limit(target)} load${later}`;
}

function waitingNote({ waiting }: FleetView): string {
  if (waiting.length === 0) return 'none';
  const longest = waiting.longest === null ? '' : `longest ${duration(waiting.longest)}`;
  const estimate =
    waiting.estimate === null ? 'no estimate yet' : `expected wait ${rangeInWords(waiting.estimate.from, waiting.estimate.to)}`;
  return longest === '' ? estimate : `${longest}, ${estimate}`;
}

function rangeInWords(from: number, to: number): string {
  const [low, high] = [duration(from), duration(to)];
  return low === high ? low : `${low} to ${high}`;
}

export function stateSentence(servers: readonly ServerView[]): string {
  if (servers.length === 0) return '';
  const counts = [...countStates(servers)].filter(([, count]) => count > 0).map(([state, count]) => `${count} ${state}`);
  return `${plural(servers.length, 'simulation server')}: ${counts.join(', ')}${roomInWords(servers)}`;
}

/** "3 available" alone would promise room. */
function roomInWords(servers: readonly ServerView[]): string {
  const without = servers.filter(isWithoutRoom).length;
  if (without === 0) return '';
  const available = servers.filter(({ state }) => state === 'available').length;
  return without === available ? '; none of those available has room' : `; ${without} of those available without room`;
}

const TICK = 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20Zm-1.6 14.4-4.6-4.6 1.7-1.7 2.9 2.9 6.1-6.1 1.7 1.7Z';
const BAR = 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20ZM6 10.6h12v2.8H6Z';
const WARNING = 'M12 2 1 21h22Zm-1.2 7h2.4v6h-2.4Zm0 7.4h2.4v2.2h-2.4Z';
const QUESTION =
  'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20Zm-1.2 14.6h2.4V19h-2.4Zm0-1.6c0-3.4 3-3.3 3-5.4 0-1-.8-1.7-1.8-1.7s-1.9.7-1.9 2H7.9c0-2.5 1.9-4.1 4.2-4.1 2.4 0 4 1.6 4 3.7 0 3-2.9 3.1-2.9 5.5Z';
const SIGNS: Readonly<Record<Health, string>> = { working: TICK, degraded: WARNING, closed: BAR, lost: QUESTION };
