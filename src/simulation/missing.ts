/** What a simulator needs of this machine and does not find. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { SimulationSettings } from './settings/settings.ts';

export interface MissingPart {
  /** What it is about: a path, or a display. */
  readonly subject: string;
  /** A sentence without a subject. */
  readonly text: string;
  readonly fix: string;
}

export function missingParts({
  simulator,
  webotsHome,
  docker,
  display,
}: Pick<SimulationSettings, 'simulator' | 'webotsHome' | 'docker' | 'display'>): readonly MissingPart[] {
  if (simulator !== 'webots' || docker) return [];
  const program = join(webotsHome, 'webots');
  const parts: MissingPart[] = [];
  if (!existsSync(program)) parts.push({ subject: program, text: 'there is no Webots', fix: 'install it, or set "webotsHome"' });
  if (isDisplayMissing(display))
    parts.push({
      ...{ subject: `display ${display}`, text: 'there is no X display, which Webots needs' },
      fix: 'start one, such as Xvfb, or set "display"',
    });
  return parts;
}

/** A display of this machine has a socket; whether another machine has one is not known. */
export function isDisplayMissing(display: string): boolean {
  const number = /^(?:unix)?:(\d+)(?:\.\d+)?$/.exec(display)?.[1];
  return number !== undefined && !existsSync(`/tmp/.X11-unix/X${number}`);
}
