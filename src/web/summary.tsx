/** @jsxRuntime automatic @jsxImportSource preact */
/** What an operator wants to see from across the room: whether a session can start now, and how busy the fleet is. */
import type { ComponentChildren } from 'preact';
import type { FleetView, ServerView } from '../core/views/monitor-view.ts';
import { duration, plural, type Format } from './format.ts';
import { useFormat } from './format-context.ts';
import { countStates } from './state-mark.tsx';

interface SummaryProps {
  readonly fleet: FleetView;
  readonly servers: readonly ServerView[];
  /** The viewer wants to see the refusals. Absent before any script has run. */
  readonly onRefused?: () => void;
}

export function Summary({ fleet, servers, onRefused }: SummaryProps) {
  const format = useFormat();
  const { waiting } = fleet;
  return (
    <section class={`card summary ${fleet.open ? 'open' : 'closed'}`} aria-label="Current state">
      <div class="availability">
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d={fleet.open ? OPEN : CLOSED} fill-rule="evenodd" />
        </svg>
        <div>
          <p class="sentence">{fleet.availability}</p>
          <p class="muted">{stateSentence(servers)}</p>
        </div>
      </div>
      <dl class="figures">
        <Figure name="places left" value={format.count(fleet.places)} note={placesNote(fleet, format)} />
        <Figure name="waiting" value={format.count(waiting.length)} note={waitingNote(fleet)} />
        <Figure
          name="mean load"
          value={format.load(tidy(fleet.meanLoad))}
          note={fleet.meanPredicted === null ? 'no server answers' : `${format.load(tidy(fleet.meanPredicted))} predicted`}
        />
        <Figure
          name="handed out"
          value={format.count(fleet.handedOutLastHour)}
          note={<HandOutNote fleet={fleet} onRefused={onRefused} />}
        />
      </dl>
    </section>
  );
}

interface HandOutNoteProps {
  readonly fleet: FleetView;
  readonly onRefused: (() => void) | undefined;
}

function HandOutNote({ fleet, onRefused }: HandOutNoteProps) {
  const { refusedLastHour: refused, arrivedShare } = fleet;
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

/** One digit is enough across the room; the table has the rest. */
function tidy(load: number | null): number | null {
  return load === null ? null : Math.round(load * 10) / 10;
}

/** The number is an estimate as long as the cost of a session is one. */
function placesNote({ placesRange: { from, to }, target }: FleetView, format: Format): string {
  const range = from === to ? '' : `${format.count(from)} to ${format.count(to)}, `;
  return `${range}average sessions until ${format.load(target)} load`;
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

function stateSentence(servers: readonly ServerView[]): string {
  // Beside "No session can start now", "3 available" alone would be a contradiction.
  const room = servers.some(({ places }) => places > 0);
  const counts = [...countStates(servers)]
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}${state === 'available' && !room ? ', none with room' : ''}`);
  return servers.length === 0
    ? 'There are no simulation servers.'
    : `${plural(servers.length, 'simulation server')}: ${counts.join(', ')}`;
}

const OPEN = 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20Zm-1.6 14.4-4.6-4.6 1.7-1.7 2.9 2.9 6.1-6.1 1.7 1.7Z';
const CLOSED = 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20ZM6 10.6h12v2.8H6Z';
