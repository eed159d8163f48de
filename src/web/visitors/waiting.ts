/** From the wish to start to a running simulation, and what a visitor reads on the way. */
import { classOfPage } from '../../core/views/through-class.ts';
import { projectParameter } from '../../core/fleet/project.ts';
import { fill, numberText, type Texts } from '../../core/languages/texts.ts';
import type { Viewer, ViewerOptions } from '../viewer/main.ts';
import { element, say, socketUrl } from './element.ts';
import { endTexts } from './end-texts.ts';
import { progressText } from './progress-text.ts';
import { Fleet } from './fleet.ts';
import { estimateText, prospectText, waitingReason } from './fleet-texts.ts';
import * as places from './kept-place.ts';
import { prospectOf } from '../../core/views/visitor-view.ts';
import { Session, type SessionEnd, type SessionOptions } from './session.ts';

/** `idle`: it can be started. `asking`: in line, or on the way to a machine. */
type Phase = 'idle' | 'asking' | 'running';

export function startWaiting(texts: Texts, dataset: DOMStringMap): void {
  const page = new WaitingPage(texts, dataset);
  element('start').addEventListener('click', () => page.start());
  element('cancel').addEventListener('click', () => page.leave({ kind: 'left-line' }));
  element('leave').addEventListener('click', () => page.leave({ kind: 'left' }));
  addEventListener('pagehide', () => page.hide());
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) page.comeBack();
  });
  if (dataset['starts'] === 'true' || places.has()) page.start();
  else page.wait();
}

class WaitingPage {
  readonly #texts: Texts;
  readonly #dataset: DOMStringMap;
  readonly #fleet: Fleet;
  #phase: Phase = 'idle';
  #session: Session | undefined;
  #viewer: Viewer | undefined;
  #place = '';
  /** It shows the code of a class that has no seat left. */
  #isBeyondSeats = false;

  constructor(texts: Texts, dataset: DOMStringMap) {
    this.#texts = texts;
    this.#dataset = dataset;
    this.#fleet = new Fleet(dataset['fleet'] ?? '', (fleet) => {
      if (fleet === undefined) return;
      if (this.#place !== '')
        say('detail', `${this.#isBeyondSeats ? texts.noSeatLeft : waitingReason(texts, fleet)} ${texts.keepOpen}`);
      else if (this.#phase === 'idle') say('detail', prospectText(texts, prospectOf(fleet)));
    });
  }

  /** For the click that starts. */
  wait(): void {
    this.#fleet.start();
  }

  start(): void {
    const texts = this.#texts;
    this.#fleet.stop();
    const isFocused = document.activeElement === element('start');
    this.#show('asking', texts.asking);
    // The button that had the focus is hidden now.
    if (isFocused) element('cancel').focus();
    // While the session is asked for, or waited for.
    const loading = this.#load();
    this.#session = new Session({
      url: socketUrl('session'),
      tickets: this.#dataset['sessions'] ?? '',
      project: projectParameter(location.search),
      code: classOfPage(location.pathname),
      token: places.take(),
      waiting: (place) => this.#inLine(place),
      reconnecting: (hasPlace) => this.#step(texts.reconnecting, hasPlace ? texts.keepsPlace : ''),
      connecting: () => this.#step(texts.connecting),
      progress: (text) => this.#progress(text),
      complaint: (text) => this.#note(text),
      streaming: (url) => {
        this.#step(texts.loading);
        void loading.then((viewer) => viewer?.watch(url));
      },
      ended: (end) => this.#end(end),
    });
  }

  /** The page is left, or loaded again: a place in line is kept for a moment, and a simulation is not. */
  hide(): void {
    if (this.#phase === 'running') this.leave({ kind: 'left' });
    else if (this.#phase === 'asking') places.keep(this.#session?.suspend());
  }

  /** From the memory of the browser. */
  comeBack(): void {
    if (this.#phase === 'asking') this.start();
  }

  /** Ends the session from this side. */
  leave(end: SessionEnd): void {
    if (this.#session === undefined) return;
    this.#session.leave();
    this.#end(end);
  }

  /** Once; afterwards the same viewer shows other sessions. `undefined`: it could not be loaded, which was said. */
  async #load(): Promise<Viewer | undefined> {
    if (this.#viewer !== undefined) return this.#viewer;
    const options: ViewerOptions = {
      texts: this.#texts,
      began: () => this.#show('running', this.#texts.running),
      say: (text) => say('status', text),
      lost: () => this.leave({ kind: 'machine-lost' }),
    };
    try {
      const { createViewer } = (await import(new URL(this.#dataset['viewer'] ?? '', document.baseURI).href)) as {
        readonly createViewer: (options: ViewerOptions) => Viewer;
      };
      this.#viewer ??= createViewer(options);
    } catch {
      this.leave({ kind: 'unreachable' });
    }
    return this.#viewer;
  }

  #inLine({ position, ofClass, estimate }: Parameters<SessionOptions['waiting']>[0]): void {
    const texts = this.#texts;
    const [next, waiting] = ofClass ? [texts.nextOfClass, texts.waitingOfClass] : [texts.next, texts.waiting];
    const rank = numberText(texts, position);
    const place = position === 1 ? next : fill(waiting, { position: rank });
    if (this.#place === '') this.#fleet.start();
    this.#place = place;
    this.#isBeyondSeats = !ofClass && classOfPage(location.pathname) !== undefined;
    say('rank', rank);
    say('status', `${place} ${estimateText(this.#texts, estimate)}`);
  }

  #progress(line: string): void {
    const text = progressText(this.#texts, line);
    this.#step(text ?? this.#texts.starting);
    this.#note(text === undefined ? line : '');
  }

  /** What a server says, in English. */
  #note(text: string): void {
    say('reason', text);
    element('reason').hidden = text === '';
  }

  /** On the way, but not in line. */
  #step(text: string, detail = ''): void {
    this.#place = '';
    this.#fleet.stop();
    say('status', text);
    say('detail', detail);
    say('rank', '');
  }

  #end(end: SessionEnd): void {
    this.#session = undefined;
    this.#viewer?.close();
    const { text, reason } = endTexts(this.#texts, end);
    element('start').textContent = this.#texts.startAgain;
    this.#show('idle', text, reason);
    element('start').focus();
  }

  #show(phase: Phase, text: string, reason = ''): void {
    this.#phase = phase;
    this.#step(text);
    this.#note(reason);
    element('now').dataset['phase'] = phase;
    element('stage').hidden = phase !== 'running';
    element('start').hidden = phase !== 'idle';
    element('cancel').hidden = phase !== 'asking';
  }
}
