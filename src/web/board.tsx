/** @jsxRuntime automatic @jsxImportSource preact */
/** The page for a screen on a wall: large, without anything to click, and the same facts first. */
import type { MonitorSnapshot, ServerView } from '../core/views/monitor-view.ts';
import { duration, type Format } from './format.ts';
import { useFormat, useToday } from './format-context.ts';
import { hasProblem, healthOf, type Health } from './health.ts';
import { plannedInWords } from './planned-maintenance.tsx';
import { sessionsLeft } from './session-words.ts';
import { AvailabilitySign, stateSentence } from './summary.tsx';
import { usePageHead } from './use-page-head.ts';

interface BoardProps {
  readonly snapshot: MonitorSnapshot;
  /** When contact was lost, milliseconds since the epoch; absent: it was not. */
  readonly staleSince?: number | undefined;
}

const MAX_LINES = 8;

export function Board({ snapshot, staleSince }: BoardProps) {
  const { fleet, servers, at } = snapshot;
  const format = useFormat();
  const health = healthOf(fleet, servers, staleSince !== undefined);
  // Seen from afar: one colour for everything that needs a person.
  usePageHead(fleet, health, health === 'working' ? 'working' : 'closed');
  const lines = linesOf(snapshot, useToday(at), format);
  return (
    <main class={`board ${health}`}>
      <h1 class="text" dir="auto">
        {fleet.title} <span class="muted">{fleet.server}</span>
      </h1>
      <div class="availability">
        <AvailabilitySign health={health} />
        <div>
          <p class="sentence">{sentenceOf(health, snapshot, staleSince, format)}</p>
          <p class="muted">{stateSentence(servers)}</p>
        </div>
      </div>
      <dl class="figures">
        <BoardFigure name="places left" value={format.count(fleet.places)} />
        <BoardFigure name="waiting" value={format.count(fleet.waiting.length)} />
        <BoardFigure name="sessions" value={format.count(servers.reduce((sum, { sessions }) => sum + sessions.count, 0))} />
        <BoardFigure name="mean load" value={format.load(fleet.meanLoad)} />
      </dl>
      <ul class="lines" aria-label="What needs attention">
        {lines.slice(0, MAX_LINES).map(({ text, kind }, index) => (
          <li key={index} class={kind}>
            <span class="text" dir="auto">
              {text}
            </span>
          </li>
        ))}
        {lines.length > MAX_LINES && <li>and {lines.length - MAX_LINES} more</li>}
      </ul>
      <p class="muted">
        {staleSince === undefined ? 'Live' : 'Not live'} · {format.dayAndClock(at)}
      </p>
    </main>
  );
}

function sentenceOf(health: Health, { fleet }: MonitorSnapshot, staleSince: number | undefined, format: Format): string {
  if (health !== 'lost' || staleSince === undefined) return fleet.availability;
  return `No contact with the session server since ${format.dayAndClock(staleSince / 1000)}.`;
}

interface Line {
  readonly text: string;
  readonly kind: 'problem' | 'drained' | 'plan';
}

/** Problems first, then drains, then plans. */
function linesOf({ servers, fleet, at }: MonitorSnapshot, today: number, format: Format): readonly Line[] {
  const problems = servers.filter(hasProblem).map((server): Line => ({ kind: 'problem', text: problemOf(server, at) }));
  const drains = servers
    .filter(({ state }) => state === 'draining')
    .map((server): Line => ({ kind: 'drained', text: `${server.address}: draining, ${sessionsLeft(server) ?? ''}` }));
  const plans = fleet.maintenance.map((plan): Line => ({ kind: 'plan', text: plannedInWords(plan, servers, today, format) }));
  return [...problems, ...drains, ...plans];
}

function problemOf({ address, state, since, suspectSince, reason }: ServerView, at: number): string {
  if (state === 'down') return `${address}: down for ${duration(at - since)}. ${reason}`;
  return `${address}: suspect for ${duration(at - (suspectSince ?? since))}. ${reason}`;
}

function BoardFigure({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="value">{value}</dd>
    </div>
  );
}
