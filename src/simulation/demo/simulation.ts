/**
 * A running world and who watches it. Time and viewers are passed in, so that a test can play without a clock. It stands
 * still while it is paused or has no viewers.
 */
import type { ViewerMessage } from './messages.ts';
import { STEP, type Body, type Physics } from './physics.ts';
import { poseText, posesMessage, sceneXml, type PoseText } from './scene.ts';
import { STILL, type Input, type World } from './worlds/world.ts';

export interface Viewer {
  send(text: string): void;
  /** It has not read yet what it was sent. */
  isBehind(): boolean;
}

export interface DemoSimulationOptions {
  readonly physics: Physics;
  readonly world: World;
  /** The worlds that viewers may list, and the one that runs. */
  readonly worldName: string;
  /** Says to the simulation server what the simulation does now. */
  readonly say: (word: 'pause' | 'real-time' | 'fast' | 'step' | 'reset') => void;
}

/** Seconds between two frames. */
export const FRAME = 0.04;
const STEPS_PER_FRAME = Math.round(FRAME / STEP);
/** How many times faster than real time *fast* is. */
const FAST = 4;
/** Seconds that are made up for after a delay. Beyond, the simulation is slower than real time. */
const MAX_ELAPSED = 0.1;
/** Milliseconds of simulation for which a drive message holds: a viewer that is gone does not drive any more. */
const INPUT_HOLDS = 1000;
/** Milliseconds of simulation without a driver after which the robot moves by itself. */
const AUTOPILOT_AFTER = 15_000;

export class DemoSimulation {
  readonly #options: DemoSimulationOptions;
  readonly #viewers = new Set<Viewer>();
  /** Viewers that have not got all poses. */
  readonly #missed = new Set<Viewer>();
  #bodies: readonly Body[] = [];
  #poses: readonly PoseText[] = [];
  #mode: 'pause' | 'real-time' | 'fast' = 'pause';
  #steps = 0;
  /** Milliseconds of simulation. */
  #pauseAt = Infinity;
  #input: { readonly input: Input; readonly at: number } | undefined;
  /** When the last frame began; absent while it stands still. */
  #lastTick: number | undefined;

  /** Loads the world; throws when the physics engine does not accept it. */
  constructor(options: DemoSimulationOptions) {
    this.#options = options;
    this.#load();
  }

  /** Milliseconds of simulation. */
  get time(): number {
    return Math.round(this.#steps * STEP * 1000);
  }

  remove(viewer: Viewer): void {
    this.#missed.delete(viewer);
    if (this.#viewers.delete(viewer) && this.#viewers.size === 0 && this.#mode !== 'pause') this.#options.say('pause');
  }

  handle(viewer: Viewer, message: ViewerMessage): void {
    if (message.kind === 'watch') {
      this.#watch(viewer);
      return;
    }
    // A client that does not watch has nothing to say here.
    if (!this.#viewers.has(viewer)) return;
    switch (message.kind) {
      case 'pause':
        this.#setMode('pause', message.kind);
        return;
      case 'play':
        this.#setPauseAfter(message.pauseAfter);
        this.#setMode(message.mode, message.mode);
        return;
      case 'timeout':
        this.#setPauseAfter(message.pauseAfter);
        return;
      case 'step':
        this.#setMode('pause', message.kind);
        this.#advance(STEPS_PER_FRAME);
        return;
      case 'reset':
        this.#reset();
        return;
      case 'drive':
        this.#input = { input: message.input, at: this.time };
    }
  }

  /** `now`: seconds of a monotonic clock. Returns the seconds until the next call; `Infinity`: until something happens. */
  tick(now: number): number {
    if (this.#mode === 'pause' || this.#viewers.size === 0) {
      this.#lastTick = undefined;
      return Infinity;
    }
    const elapsed = Math.min(MAX_ELAPSED, now - (this.#lastTick ?? now - FRAME));
    const steps = Math.floor((elapsed + 1e-6) / STEP);
    // What is less than a step counts for the next frame.
    this.#lastTick = now - (elapsed - steps * STEP);
    if (steps > 0) this.#advance(this.#mode === 'fast' ? steps * FAST : steps);
    if (this.time >= this.#pauseAt) this.#setMode('pause', 'pause');
    return FRAME;
  }

  #load(): void {
    const { physics, world } = this.#options;
    this.#bodies = physics.load(world.mjcf);
    this.#poses = physics.poses().map(poseText);
    this.#steps = 0;
  }

  #watch(viewer: Viewer): void {
    const { physics, world, worldName, say } = this.#options;
    viewer.send(`model:${sceneXml(world, this.#bodies, physics.poses())}`);
    viewer.send(`world:${worldName}.wbt:${worldName}.wbt`);
    viewer.send('scene load completed');
    viewer.send(this.#state());
    if (this.#viewers.size === 0 && this.#mode !== 'pause') say(this.#mode);
    this.#viewers.add(viewer);
  }

  #setMode(mode: 'pause' | 'real-time' | 'fast', word: 'pause' | 'real-time' | 'fast' | 'step'): void {
    this.#mode = mode;
    this.#options.say(word);
    this.#broadcast(this.#state());
  }

  #setPauseAfter(pauseAfter: number | undefined): void {
    this.#pauseAt = pauseAfter === undefined ? Infinity : this.time + pauseAfter;
  }

  #state(): string {
    return this.#mode === 'pause' ? `pause: ${this.time}` : this.#mode;
  }

  #reset(): void {
    this.#load();
    this.#input = undefined;
    this.#pauseAt = Infinity;
    this.#options.say('reset');
    this.#broadcast(posesMessage(this.time, this.#poses, []));
    this.#broadcast('reset finished');
  }

  #advance(steps: number): void {
    const { physics, world } = this.#options;
    for (let left = steps; left > 0; left -= STEPS_PER_FRAME) {
      physics.act(world.controls(this.#driver(), this.time / 1000));
      physics.step(Math.min(left, STEPS_PER_FRAME));
      this.#steps += Math.min(left, STEPS_PER_FRAME);
    }
    this.#sendPoses();
  }

  /** What the robot should do now. */
  #driver(): Input {
    const { input, at } = this.#input ?? { input: STILL, at: -Infinity };
    if (this.time - at < INPUT_HOLDS) return input;
    return this.time - at < AUTOPILOT_AFTER ? STILL : this.#options.world.autopilot(this.time / 1000);
  }

  #sendPoses(): void {
    const before = this.#poses;
    this.#poses = this.#options.physics.poses().map(poseText);
    const text = posesMessage(this.time, this.#poses, before);
    for (const viewer of this.#viewers) {
      if (viewer.isBehind()) this.#missed.add(viewer);
      else viewer.send(this.#missed.delete(viewer) ? posesMessage(this.time, this.#poses, []) : text);
    }
  }

  #broadcast(text: string): void {
    for (const viewer of this.#viewers) viewer.send(text);
  }
}
