/** Why a server is in its state, in a sentence for the table of the monitor. Pure. */
import type { Verdict } from '../core/allocation/ledger.ts';
import type { Drain } from '../core/fleet/fleet.ts';

export const NOT_HEARD = 'Not offered: it has not answered yet.';

/** Short: the table has two lines for it, each twenty letters long on a narrow screen. */
export function availableReason(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'fits':
      return `Has room: ${percent(verdict.level)} with one more.`;
    case 'no-room':
      return `No room: ${percent(verdict.predicted)} with one more, and ${percent(verdict.target)} is the limit.`;
    case 'max-sessions':
      return `No room: ${verdict.sessions} of at most ${verdict.maxSessions} sessions have started.`;
    case 'suspect':
      return 'Suspected: given sessions, it still looks idle; tried rarely.';
    case 'closed':
      return verdict.cause === 'load'
        ? `Not offered: it reported ${percent(verdict.load)}.`
        : 'Not offered: its answers are missing.';
    case 'never-heard':
    case 'unknown-server':
      return NOT_HEARD;
  }
}

interface FullRules {
  /** Percent. */
  readonly loadThreshold: number;
  /** Seconds. */
  readonly recent: number;
}

export function fullReason(load: number | undefined, { loadThreshold, recent }: FullRules): string {
  return load !== undefined && load >= loadThreshold
    ? `At ${percent(load)}; full from ${percent(loadThreshold)} on.`
    : `At ${percent(load)}; back after ${recent} s with room.`;
}

/** Without the deadline: it is shown beside it in the reader's time zone. */
export function drainSentence({ by, reason }: Drain): string {
  return reason === undefined ? `Drained by ${by}.` : `${by}: ${ended(reason)}`;
}

export function asSentence(text: string): string {
  return ended(text.charAt(0).toUpperCase() + text.slice(1));
}

/** With a full stop, unless the text has one. */
function ended(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function percent(load: number | undefined): string {
  return load === undefined ? 'nothing' : `${Math.round(load)}%`;
}
