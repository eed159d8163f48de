/**
 * What a simulation server of this project reports about its sessions, in headers beside the load (docs/design/protocol.md,
 * "Simulation servers"). Other servers send none, and readers that do not know the headers are not disturbed. Pure.
 */

export interface SessionReport {
  /** Sessions that start or run. */
  readonly sessions: number;
  /** Those whose simulation is not there yet. */
  readonly starting: number;
  /** Sessions that began since the server started. */
  readonly begun: number;
  /** Load points that all of them cost now, measured. */
  readonly points: number;
}

/** A count or a number of points above it is an error of the sender. */
const MAX_VALUE = 1_000_000;

/** Reads `Session-Count` and `Session-Load`; `undefined`: they are missing or malformed. Never throws. */
export function readSessionReport(count: unknown, load: unknown): SessionReport | undefined {
  const [sessions, { starting, begun }] = readHeader(count);
  const [points] = readHeader(load);
  if (sessions === undefined || starting === undefined || begun === undefined || points === undefined) return undefined;
  if (![sessions, starting, begun].every(Number.isInteger) || starting > sessions) return undefined;
  return { sessions, starting, begun, points };
}

/** A number, and further ones by name, as in `7; starting=2; idle=3`. */
function readHeader(text: unknown): readonly [number | undefined, Readonly<Record<string, number>>] {
  if (typeof text !== 'string' || text.length > 200) return [undefined, {}];
  const [first = '', ...rest] = text.split(';').map((part) => part.trim());
  const named: Record<string, number> = {};
  for (const part of rest) {
    const [, name, value = ''] = /^([a-z]{1,20})=(\S+)$/.exec(part) ?? [];
    const number = numberOf(value);
    if (name !== undefined && number !== undefined) named[name] = number;
  }
  return [numberOf(first), named];
}

function numberOf(text: string): number | undefined {
  if (!/^\d{1,9}(?:\.\d{1,6})?$/.test(text)) return undefined;
  const value = Number(text);
  return value <= MAX_VALUE ? value : undefined;
}
