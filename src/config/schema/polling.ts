/** How simulation servers are polled. */
import { z } from 'zod';
import { type Problem, showValue } from '../problem.ts';
import { count, percent, seconds } from './values.ts';

const pollInterval = seconds(0.05, 6).default(5).describe('Time between two probes of a simulation server.');

const pollTimeout = seconds(0.02, 60)
  .default(4)
  .describe('Time a probe may take; must be shorter than `pollInterval`.')
  .meta({ absent: '4, or four fifths of `pollInterval` when that is shorter' });

const loadThreshold = percent(1, 1000).default(95).describe('A simulation server that reports this load is full.');

const downAfter = count(1, 100)
  .default(2)
  .describe('Failed probes in a row after which a simulation server is down and the administrator is notified.');

const pollSsl = z.boolean().optional().describe('Use `https` in the URLs that are polled.').meta({ absent: '`ssl`' });

/** The keys of the top level that this section has. */
export const pollingKeys = { pollInterval, pollTimeout, loadThreshold, downAfter, pollSsl };

type File = Readonly<Record<string, unknown>>;

/** An operator who polls faster without naming the timeout must not be rejected for a key that is not in the file. */
export function withPollTimeout(file: File): File {
  const { pollInterval, pollTimeout } = file;
  if (pollTimeout !== undefined || typeof pollInterval !== 'number' || pollInterval >= 5) return file;
  // In whole milliseconds, because people read it: three seconds times 0.8 are 2.4000000000000004.
  return { ...file, pollTimeout: Math.max(0.02, Math.round(pollInterval * 800) / 1000) };
}

/** What keeps the program from starting: two probes of one server must never run at once (docs/design/protocol.md, "Simulation servers"). */
export function pollingProblems({ pollInterval = 5, pollTimeout = 4 }: File): Problem[] {
  if (typeof pollInterval !== 'number' || typeof pollTimeout !== 'number' || pollTimeout < pollInterval) return [];
  const expected = `less than "pollInterval", which is ${pollInterval}`;
  return [{ key: 'pollTimeout', value: showValue(pollTimeout), expected, fix: 'lower it, or raise "pollInterval" (maximum 6)' }];
}

/** docs/design/protocol.md, "Simulation servers": a server that answers within 2 s is used. An operator who polls faster has chosen otherwise. */
export function checkPolling({ pollTimeout }: File): Problem[] {
  if (typeof pollTimeout !== 'number' || pollTimeout >= 2) return [];
  const expected = 'at least 2 s, because a simulation server under load may need that long to answer';
  return [{ key: 'pollTimeout', value: showValue(pollTimeout), expected, fix: 'raise it, or slow servers count as failed' }];
}
