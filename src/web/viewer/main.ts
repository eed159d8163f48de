/** The viewer: buttons and keys on one side, the stream of a session on the other. It is loaded when a session starts. */
import { fill, numberText, type Texts } from '../../core/languages/texts.ts';
import { element } from '../visitors/element.ts';
import { Driving, directionOf, type Direction } from './driving.ts';
import { readScene, move, type Graph } from './graph.ts';
import { Stream } from './stream.ts';
import { createView3d } from './view-3d.ts';
import { createViewPlan } from './view-plan.ts';
import type { View } from './view.ts';
import type { PoseUpdate, StreamMessage } from './words.ts';

export interface ViewerOptions {
  readonly texts: Texts;
  /** There is something to see. */
  readonly began: () => void;
  readonly say: (text: string) => void;
  /** The stream broke and cannot be opened again. */
  readonly lost: () => void;
}

export interface Viewer {
  /** Shows the stream at this address. */
  watch(url: string): void;
  close(): void;
}

/** Milliseconds between two looks at the figures in the corner. */
const FIGURES_EVERY = 1000;
/** Milliseconds that a button drives when it is activated without being held, as by a screen reader. */
const NUDGE = 700;

export function createViewer(options: ViewerOptions): Viewer {
  const stage = new Stage(options);
  stage.listen();
  return stage;
}

class Stage implements Viewer {
  readonly #options: ViewerOptions;
  readonly #canvas = element('picture') as HTMLCanvasElement;
  readonly #driving: Driving;
  #view: View | undefined;
  #graph: Graph | undefined;
  #stream: Stream | undefined;
  #playing = false;
  /** It was started once; from then on the user decides. */
  #begun = false;
  #following = false;
  #drawing = false;
  /** Milliseconds of simulation. */
  #time = 0;

  constructor(options: ViewerOptions) {
    this.#options = options;
    this.#driving = new Driving((words) => {
      const { robot } = this.#graph ?? {};
      if (robot?.drives === true) this.#stream?.send(`robot:${JSON.stringify({ name: robot.name, message: words })}`);
    });
  }

  watch(url: string): void {
    this.#begun = false;
    this.#stream?.close();
    this.#stream = new Stream({
      url,
      received: (message) => this.#received(message),
      lost: () => this.#options.lost(),
    });
  }

  close(): void {
    this.#driving.releaseAll();
    this.#stream?.close();
    this.#stream = undefined;
  }

  listen(): void {
    element('play').addEventListener('click', () => this.#stream?.send(this.#playing ? 'pause' : 'real-time:-1'));
    element('step').addEventListener('click', () => this.#stream?.send('step'));
    element('reset').addEventListener('click', () => this.#stream?.send('reset'));
    element('follow').addEventListener('click', () => this.#follow());
    for (const button of document.querySelectorAll<HTMLElement>('[data-direction]')) this.#drivenBy(button);
    this.#drivenByKeys();
    addEventListener('resize', () => this.#draw());
    setInterval(() => this.#showFigures(), FIGURES_EVERY);
  }

  #received(message: StreamMessage): void {
    const { texts, say } = this.#options;
    switch (message.kind) {
      case 'scene':
        this.#showScene(readScene(message.xml));
        return;
      case 'loaded':
        if (!this.#begun) this.#stream?.send('real-time:-1');
        this.#begun = true;
        return;
      case 'state':
        this.#playing = message.playing;
        element('play').textContent = this.#playing ? texts.pause : texts.play;
        say(this.#playing ? texts.running : texts.paused);
        return;
      case 'poses':
        this.#time = message.time;
        this.#movePoses(message.poses);
    }
  }

  #showScene(read: Graph): void {
    const { texts, began } = this.#options;
    this.#graph = read;
    // The button to leave the line is hidden now.
    const isFree = [document.body, element('cancel')].includes(document.activeElement as HTMLElement);
    began();
    this.#view ??= this.#createView();
    this.#canvas.dataset['view'] = this.#view.kind;
    this.#view.show(read);
    if (isFree) element('play').focus();
    element('driving').hidden = read.robot?.drives !== true;
    element('follow').hidden = read.robot === undefined;
    const notes = [...(this.#view.kind === 'plan' ? [texts.plan] : []), ...(read.incomplete ? [texts.incomplete] : [])];
    element('note').textContent = notes.join(' ');
    element('note').hidden = notes.length === 0;
    this.#draw();
  }

  /** A browser without WebGL, or on which it fails, gets the plan. */
  #createView(): View {
    const changed = () => this.#draw();
    try {
      return createView3d(this.#canvas, changed);
    } catch {
      return createViewPlan(this.#canvas, changed);
    }
  }

  #movePoses(poses: readonly PoseUpdate[]): void {
    for (const pose of poses) {
      const object = this.#graph?.nodes.get(pose.id);
      if (object !== undefined) move(object, pose);
    }
    this.#draw();
  }

  /** Once for all changes before the next picture of the screen. */
  #draw(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.#view?.draw();
    });
  }

  #follow(): void {
    this.#following = !this.#following;
    element('follow').setAttribute('aria-pressed', String(this.#following));
    this.#view?.follow(this.#following);
    this.#draw();
  }

  #showFigures(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    const { texts } = this.#options;
    const number = (value: number, digits = 0) => numberText(texts, value, digits);
    const rate = number(stream.received / FIGURES_EVERY);
    const frames = number((stream.frames * 1000) / FIGURES_EVERY);
    [stream.received, stream.frames] = [0, 0];
    const clock = new Date(this.#time).toISOString().slice(11, 19);
    element('figures').textContent = `${clock} · ${fill(texts.figures, { rate, frames })}`;
    const { robot } = this.#graph ?? {};
    if (robot === undefined) return;
    const { position, rotation } = robot.object;
    const angle = number((Math.round((rotation.reorder('ZYX').z * 180) / Math.PI) + 360) % 360);
    const place = { name: robot.name, x: number(position.x, 1), y: number(position.y, 1), angle };
    element('place').textContent = fill(texts.place, place);
  }

  #drivenBy(button: HTMLElement): void {
    const direction = button.dataset['direction'] as Direction;
    let held = false;
    button.addEventListener('pointerdown', (event) => {
      button.setPointerCapture(event.pointerId);
      held = true;
      this.#driving.press(direction);
    });
    for (const end of ['pointerup', 'pointercancel', 'lostpointercapture'] as const)
      button.addEventListener(end, () => this.#driving.release(direction));
    button.addEventListener('contextmenu', (event) => event.preventDefault());
    button.addEventListener('click', () => {
      // The pointer has driven already.
      if (!held) {
        this.#driving.press(direction);
        setTimeout(() => this.#driving.release(direction), NUDGE);
      }
      held = false;
    });
  }

  #drivenByKeys(): void {
    document.addEventListener('keydown', (event) => {
      const direction = directionOf(event.code);
      if (direction === undefined || this.#graph === undefined || this.#stream === undefined) return;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.#driving.press(direction);
    });
    document.addEventListener('keyup', ({ code }) => {
      const direction = directionOf(code);
      if (direction !== undefined) this.#driving.release(direction);
    });
    // The page does not receive keys that are released elsewhere.
    addEventListener('blur', () => this.#driving.releaseAll());
  }
}
