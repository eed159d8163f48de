/** Codes of classes, as people write and type them. */

/** Characters of a code, without hyphens. */
export const MIN_CODE = 4;
export const MAX_CODE = 32;

/** Upper case and without hyphens, so that `robo-101` is `ROBO101`. `undefined`: it cannot be a code. */
export function normalizedCode(text: string): string | undefined {
  const code = text.replaceAll('-', '').toUpperCase();
  return CODE.test(code) ? code : undefined;
}

/**
 * Takes `/c/CODE` off the beginning of a path. Clients get the code in the address that they are given, and keep it in front of what they append. A code
 * that cannot be one is returned as it was written, so that its client is refused instead of served as the public.
 */
export function withoutCode(path: string): { readonly path: string; readonly code?: string } {
  const { code, rest } = PATH.exec(path)?.groups ?? {};
  if (code === undefined || rest === undefined) return { path };
  return { path: rest, code: code.length <= MAX_WRITTEN ? code : `${code.slice(0, MAX_WRITTEN)}…` };
}

/** Characters of a code as it may be written, with hyphens. */
const MAX_WRITTEN = 100;
const CODE = /^[A-Z0-9]{4,32}$/;
const PATH = /^\/c\/(?<code>[^/?]+)(?<rest>\/.*)$/s;
