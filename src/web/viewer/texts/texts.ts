/** Every text of the viewer. A language is one file beside this one. `{name}` is replaced by a value. */
export interface Texts {
  /** As in `<html lang>`. */
  readonly language: string;
  readonly title: string;
  /** Before the start. */
  readonly welcome: string;
  readonly available: string;
  readonly unavailable: string;
  /** A link to the monitor. */
  readonly monitor: string;
  readonly start: string;
  readonly startAgain: string;
  readonly leave: string;
  readonly play: string;
  readonly pause: string;
  readonly step: string;
  readonly reset: string;
  readonly follow: string;
  readonly controls: string;
  readonly drive: string;
  readonly forward: string;
  readonly back: string;
  readonly left: string;
  readonly right: string;
  readonly armUp: string;
  readonly armDown: string;
  readonly armOut: string;
  readonly armIn: string;
  readonly keys: string;
  /** Description of the picture. */
  readonly picture: string;
  readonly plan: string;
  readonly incomplete: string;
  readonly asking: string;
  /** `{position}`. */
  readonly waiting: string;
  readonly next: string;
  /** `{minutes}`. */
  readonly estimate: string;
  readonly soon: string;
  readonly connecting: string;
  readonly loading: string;
  readonly running: string;
  readonly paused: string;
  readonly reconnecting: string;
  readonly lost: string;
  readonly gone: string;
  readonly ended: string;
  readonly full: string;
  /** `{rate}` kB/s, `{frames}`. */
  readonly figures: string;
  /** `{name}`, `{x}`, `{y}`, `{angle}`. */
  readonly place: string;
  readonly noScript: string;
}

export function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
