/** Waiting in tests, always with an end: what does not come in time is a failure that says what was awaited. */
import { AssertionError } from 'node:assert';

/**
 * Seconds. Nothing in a test takes so long but on a machine that is busy with other things, so the limit only says what did not happen. Tests do not
 * measure time by it.
 */
const PATIENCE = 90;
/** Milliseconds until the second look, and at most between two later ones: looking costs those who are waited for their time. */
const SOON = 5;
const LATER = 60;

/**
 * Asks again and again until `condition` returns something truthy, and returns that. An assertion that fails inside it means *not yet*. After `within`
 * seconds the test fails, with the last failed assertion if there was one.
 */
export async function eventually<T>(
  what: string,
  condition: () => T | Promise<T>,
  within = PATIENCE,
): Promise<Exclude<T, false | 0 | '' | null | undefined>> {
  const deadline = performance.now() + within * 1000;
  let failed: unknown;
  for (let pause = SOON; ; pause = Math.min(LATER, pause * 1.5)) {
    try {
      const value = await condition();
      if (value) return value as Exclude<T, false | 0 | '' | null | undefined>;
      failed = undefined;
    } catch (error) {
      if (!(error instanceof AssertionError)) throw error;
      failed = error;
    }
    if (performance.now() >= deadline) throw late(what, within, failed);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** The value of a promise that has to settle within `seconds`. */
export async function inTime<T>(what: string, awaited: Promise<T>, seconds = PATIENCE): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late(what, seconds, undefined)), seconds * 1000);
  });
  try {
    return await Promise.race([awaited, end]);
  } finally {
    clearTimeout(timer);
  }
}

function late(what: string, seconds: number, cause: unknown): Error {
  const detail = cause instanceof Error ? `: ${cause.message}` : '';
  return new Error(`not within ${seconds} s: ${what}${detail}`, { cause });
}
