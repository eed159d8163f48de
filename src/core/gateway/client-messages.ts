/**
 * Lines for the progress bar of clients that will never be updated (docs/design/protocol.md, "URLs in gateway mode"). Every line is shorter than `MAX_LINE`, and nothing in it comes from
 * outside. Clients since R2023a show `loading:`, those of R2022 `docker:`, and each ignores the other, so both are sent.
 */

/** What a waiting client is shown. */
export interface PositionInLine {
  /** 1 is next. */
  readonly position: number;
  /** Seconds. */
  readonly estimate?: { readonly from: number; readonly to: number } | undefined;
}

/** A line in the progress bar has fewer characters than this. */
export const MAX_LINE = 40;

export function positionMessages({ position, estimate }: PositionInLine): readonly string[] {
  if (position > MAX_SHOWN) return progressMessages(`At least ${MAX_SHOWN} ahead of you`);
  if (estimate === undefined) return progressMessages(`Position ${position} in line`);
  return progressMessages(`Position ${position}, about ${duration((estimate.from + estimate.to) / 2)}`);
}

/** The simulation server failed, and the client gets another one. */
export function retryMessages(): readonly string[] {
  return progressMessages('Trying another machine');
}

/** The client has a server, which may say nothing until the simulation runs. The line replaces its position. */
export function startingMessages(): readonly string[] {
  return progressMessages('Your simulation is starting');
}

/** The session that starts has an end, because a class comes. `seconds` from now. */
export function endMessages(seconds: number): readonly string[] {
  return progressMessages(`${Math.floor(seconds / 60)} minutes, then a class is here`);
}

/** Raises an alert in the client, which then quits cleanly. The reason is put on one line. */
export function errorMessage(reason: string): string {
  return `error: ${reason.replace(/\s+/g, ' ')}`;
}

/** Announces the end of the session. `seconds` from now. */
export function shutdownMessage(seconds: number): string {
  return `shutdownTimeout: ${Math.max(0, Math.round(seconds))}`;
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
