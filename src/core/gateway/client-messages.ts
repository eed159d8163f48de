/**
 * What stands in the progress bar of clients that nobody will update
 * (docs/design/protocol.md, "URLs in gateway mode"): every line is shorter than `MAX_LINE`, and nothing in it
 * comes from
 * outside. Clients since R2023a show `loading:`, those of R2022 `docker:`, and each ignores the other, so both are sent.
 */

/** What a waiting client is told. */
export interface PlaceInLine {
  /** 1 is next. */
  readonly position: number;
  /** Seconds. */
  readonly estimate?: { readonly from: number; readonly to: number } | undefined;
}

/** Characters a line in the progress bar must stay below. */
export const MAX_LINE = 40;

/** The place in line, as two lines. */
export function placeMessages({ position, estimate }: PlaceInLine): readonly string[] {
  if (position > MAX_SHOWN) return progressMessages(`At least ${MAX_SHOWN} wait before you`);
  const time = estimate === undefined ? '' : `, about ${duration((estimate.from + estimate.to) / 2)}`;
  const messages = progressMessages(`You are number ${position}${time}`);
  return messages.every(({ length }) => length < MAX_LINE) ? messages : progressMessages(`Number ${position}${time}`);
}

/** The next server could not do it and another one is looked for. */
export function againMessages(): readonly string[] {
  return progressMessages('Trying another machine');
}

/** Raises an alert in the client, which then quits cleanly. The reason stands on one line. */
export function errorMessage(reason: string): string {
  return `error: ${reason.replace(/\s+/g, ' ')}`;
}

/** Announces the end of the session. `seconds` from now. */
export function shutdownMessage(seconds: number): string {
  return `shutdownTimeout: ${Math.max(0, Math.round(seconds))}`;
}

/** A simulation server gives up with this before the simulation is there; the client would quit at the second. */
export function isFailure(message: string): boolean {
  return message.startsWith('loading: Error:') || message.startsWith('error:');
}

/** The simulation is there: from now on the session belongs to this server. */
export function isStream(message: string): boolean {
  return message.startsWith('webots:');
}

const MAX_SHOWN = 999;

function progressMessages(text: string): readonly string[] {
  return [`loading: ${text}`, `docker: ${text}`];
}

/** At most five characters, `2 min`. */
function duration(seconds: number): string {
  if (seconds < 55) return `${Math.max(5, Math.round(seconds / 5) * 5)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${Math.max(1, minutes)} min` : `${Math.min(99, Math.round(minutes / 60))} h`;
}
