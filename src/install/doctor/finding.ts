/** A finding of `session-server doctor`: what was checked, the result, and how to fix it. */
export interface Finding {
  /** Stable name of the check, for scripts. */
  readonly check:
    | 'configuration'
    | 'name'
    | 'port'
    | 'certificate'
    | 'challenge'
    | 'site'
    | 'sessions'
    | 'mixed-content'
    | 'websocket'
    | 'load'
    | 'client-socket'
    | 'clock'
    | 'descriptors'
    | 'running'
    | 'proxies'
    | 'operators'
    | 'cookies'
    | 'mail'
    | 'store'
    | 'replicas'
    | 'git'
    | 'isolation'
    | 'workspaces'
    | 'simulator';
  /** What was checked: a name, a URL, a simulation server. */
  readonly subject: string;
  readonly level: Level;
  /** A sentence. */
  readonly text: string;
  /** The fix; with every finding that is not `ok`. */
  readonly fix?: string;
}

/** `warning`: it works, but not well or not for long. `fault`: some clients cannot be served. */
export type Level = 'ok' | 'warning' | 'fault';

export function ok(check: Finding['check'], subject: string, text: string): Finding {
  return { check, subject, level: 'ok', text };
}

export function warning(check: Finding['check'], subject: string, text: string, fix: string): Finding {
  return { check, subject, level: 'warning', text, fix };
}

export function fault(check: Finding['check'], subject: string, text: string, fix: string): Finding {
  return { check, subject, level: 'fault', text, fix };
}

/** 0: all checks passed; 1: warnings; 2: faults. */
export function exitStatus(findings: readonly Finding[]): 0 | 1 | 2 {
  if (findings.some(({ level }) => level === 'fault')) return 2;
  return findings.some(({ level }) => level === 'warning') ? 1 : 0;
}

const MARKS: Readonly<Record<Level, string>> = { ok: 'ok     ', warning: 'WARNING', fault: 'FAULT  ' };

export function findingLine({ level, check, subject, text, fix }: Finding): string {
  const line = `${MARKS[level]}  ${check}  ${subject}: ${text}`;
  // It contains texts from outside: none of them may move the cursor of a terminal.
  return [line, ...(fix === undefined ? [] : [`         → ${fix}`])]
    .map((text) => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/g, '?'))
    .join('\n');
}
