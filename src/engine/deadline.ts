import type { Clock } from '../ports.ts';

/** The error of a task that took longer than it was given. */
export interface DeadlineError extends Error {
  readonly code: 'deadline';
}

/**
 * Runs a task and gives it up after `seconds`, or when `signal` is aborted: the task's own signal is aborted, and its result is not waited for even if the task
 * continues.
 */
export async function withDeadline<T>(
  clock: Clock,
  seconds: number,
  signal: AbortSignal,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ending = new AbortController();
  const timer = new AbortController();
  const abort = () => {
    timer.abort();
  };
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  const late = clock.sleep(seconds, timer.signal).then(() => {
    ending.abort();
    throw deadlineError(seconds);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([task(ending.signal), late]);
  } finally {
    signal.removeEventListener('abort', abort);
    timer.abort();
  }
}

function deadlineError(seconds: number): DeadlineError {
  return Object.assign(new Error(`it took longer than ${seconds} s`), { code: 'deadline' as const });
}
