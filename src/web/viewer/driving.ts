/** Arrow keys, letters and buttons that are held become messages to the robot. */

export type Direction = 'forward' | 'back' | 'left' | 'right' | 'armUp' | 'armDown' | 'armOut' | 'armIn';

const KEYS: Readonly<Record<string, Direction>> = {
  ArrowUp: 'forward',
  ArrowDown: 'back',
  ArrowLeft: 'left',
  ArrowRight: 'right',
  KeyW: 'armUp',
  KeyS: 'armDown',
  KeyD: 'armOut',
  KeyA: 'armIn',
};

/** By the code of the key, which does not depend on the layout of the keyboard. */
export function directionOf(code: string): Direction | undefined {
  return Object.hasOwn(KEYS, code) ? KEYS[code] : undefined;
}

/** The words of a message to the robot: `drive FORWARD TURN LIFT REACH`. */
export function driveWords(held: ReadonlySet<Direction>): string {
  const axis = (more: Direction, less: Direction) => Number(held.has(more)) - Number(held.has(less));
  const values = [axis('forward', 'back'), axis('left', 'right'), axis('armUp', 'armDown'), axis('armOut', 'armIn')];
  return `drive ${values.join(' ')}`;
}

/** Milliseconds between two messages while something is held: the robot stops when no drive message arrives for a second. */
const REPEAT = 400;

export class Driving {
  readonly #send: (words: string) => void;
  readonly #held = new Set<Direction>();
  #repeating: ReturnType<typeof setInterval> | undefined;

  constructor(send: (words: string) => void) {
    this.#send = send;
  }

  press(direction: Direction): void {
    if (this.#held.has(direction)) return;
    this.#held.add(direction);
    this.#sendHeld();
    this.#repeating ??= setInterval(() => this.#sendHeld(), REPEAT);
  }

  release(direction: Direction): void {
    if (!this.#held.delete(direction)) return;
    this.#sendHeld();
    if (this.#held.size > 0) return;
    clearInterval(this.#repeating);
    this.#repeating = undefined;
  }

  releaseAll(): void {
    for (const direction of [...this.#held]) this.release(direction);
  }

  #sendHeld(): void {
    this.#send(driveWords(this.#held));
  }
}
