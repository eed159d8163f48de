/** @jsxRuntime automatic @jsxImportSource preact */
/** What an operator wants to see from across the room: whether a session can start now, and how busy the fleet is. */
import type { ComponentChildren } from 'preact';
import type { FleetView, ServerView } from '../core/views/monitor-view.ts';
import { duration, plural } from './format.ts';
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
        <Figure
          name="places left"
          value={format.count(fleet.places)}
          note={`average sessions until ${format.load(fleet.target)} load`}
        />
        <Figure name="waiting" value={format.count(waiting.length)} note={waitingNote(fleet)} />
        <Figure
          name="mean load"
          value={format.load(tidy(fleet.meanLoad))}
          note={fleet.meanPredicted === null ? 'no server answers' : `${format.load(tidy(fleet.meanPredicted))} predicted`}
        />
        <Figure
          name="handed out"
          value={format.count(fleet.handedOutLastHour)}
          note={<HandOutNote refused={fleet.refusedLastHour} onRefused={onRefused} />}
        />
      </dl>
    </section>
  );
}

function HandOutNote({ refused, onRefused }: { readonly refused: number; readonly onRefused: (() => void) | undefined }) {
  const text = `${useFormat().count(refused)} refused`;
  if (refused === 0 || onRefused === undefined) return <>in the last hour, {text}</>;
  return (
    <>
      in the last hour,{' '}
      <a href="#decisions" onClick={onRefused}>
        {text}
      </a>
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
