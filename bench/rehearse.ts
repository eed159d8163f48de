/** A rehearsal with simulated waits: how long it takes for ten servers, and what it does to the delay of the main loop. About half a minute; ends by itself. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate, setTimeout as pause } from 'node:timers/promises';
import { DEFAULT_ALLOCATION } from '../src/core/allocation/allocation-parameters.ts';
import { Ledger } from '../src/core/allocation/ledger.ts';
import { History } from '../src/core/history/history.ts';
import { CountedSessions } from '../src/engine/counted-sessions.ts';
import { Rehearsals } from '../src/engine/rehearsals.ts';
import { systemClock as clock } from '../src/system/system-clock.ts';
import { note, tell, title } from './support/figures.ts';

const SERVERS = Array.from({ length: 10 }, (_, index) => `server-${index}`);
const PEOPLE = 60;
const NANOSECONDS = 1e-6;

title(`A rehearsal of ${PEOPLE} people on ${SERVERS.length} simulation servers`);
const rehearsals = prepared();
const idle = await delayWhile(() => pause(5000));
const before = process.cpuUsage();
const began = performance.now();
const [answer, during] = await measured();
const { user, system } = process.cpuUsage(before);
if (answer.kind !== 'waits') throw new Error(`answered: ${answer.kind}`);
const { waits, changes } = answer;
note(`${waits.runs} mornings; ${waits.atOnce.from} to ${waits.atOnce.to} at once; ${changes.length} changes help`);
tell({ what: 'until the answer', value: (performance.now() - began) / 1000, unit: 's', goal: { atMost: 15 } });
tell({ what: 'CPU of the rehearsal', value: (user + system) / 1e6, unit: 's', goal: { atMost: 15 } });
tell({ what: 'simulated mornings of the question', value: waits.runs, unit: '', goal: { atLeast: 100 } });
note(`delay of the main loop, p99: ${idle.toFixed(2)} ms idle, ${during.toFixed(2)} ms during the rehearsal`);
tell({ what: 'p99 of the delay of the main loop, above the idle one', value: during - idle, unit: 'ms', goal: { atMost: 2 } });

async function measured() {
  let answered: Awaited<ReturnType<Rehearsals['waits']>> | undefined;
  const question = { seats: PEOPLE, start: clock.wallTime() + 600 };
  const delay = await delayWhile(async () => {
    answered = await rehearsals.waits(question, () => setImmediate(), new AbortController().signal);
  });
  if (answered === undefined) throw new Error('there is no answer');
  return [answered, delay] as const;
}

async function delayWhile(work: () => Promise<unknown>): Promise<number> {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  await work();
  histogram.disable();
  return histogram.percentile(99) * NANOSECONDS;
}

/** A fleet at 60 %, on which many sessions were seen to end. */
function prepared(): Rehearsals {
  const ledger = new Ledger(DEFAULT_ALLOCATION, Math.random);
  for (const id of SERVERS) {
    ledger.add(id, { countsSessions: true });
    ledger.report(id, 2, clock.now() - 30);
    ledger.report(id, 60, clock.now());
  }
  const counted = new CountedSessions({ clock, ledger, sessionLength: () => 1500, target: () => DEFAULT_ALLOCATION.target });
  for (let i = 0; i < 200; i += 1) {
    counted.lengths.began(`${i}`, 0);
    counted.lengths.ended(`${i}`, 1500 * Math.exp(Math.sin(i)));
  }
  return new Rehearsals({
    ...{ clock, ledger, counted, history: new History(), eligible: () => SERVERS, keyOf: (url: string) => url },
    parameters: () => DEFAULT_ALLOCATION,
  });
}
