import type { OutsideFailure } from '../ports.ts';

/** A failure to send: what is wrong and how to fix it, for the operator. */
export function outsideFailure(code: string, message: string, permanent: boolean, cause?: unknown): OutsideFailure {
  return Object.assign(new Error(message, { cause }), { code, permanent });
}
