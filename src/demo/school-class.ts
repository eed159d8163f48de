/**
 * The class of the demo: clients that ask the session server for a session, wait in line on a WebSocket, run a simulation on
 * the server that they get, and leave after a while. A student whose machine stops asks again.
 */
import { setMaxListeners } from 'node:events';
import { WebSocket } from 'ws';
import type { DemoClass } from '../core/views/demo-view.ts';
import type { Clock, Random } from '../ports.ts';

export interface SchoolClassOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** WebSocket `/session` of the session server. */
  readonly url: string;
  readonly size: number;
  /** Seconds that a student stays: from, to. */
  readonly stay: readonly [number, number];
}

type Doing = 'waiting' | 'simulating' | 'done';

/** Seconds before a student whose request failed asks again. */
const PAUSE = 1;

export class SchoolClass {
  readonly #options: SchoolClassOptions;
  #present: AbortController | undefined;
  #students: Doing[] = [];
  #restarted = 0;
  #lastAnswer: number | undefined;

  constructor(options: SchoolClassOptions) {
    this.#options = options;
  }

  get view(): DemoClass {
    const count = (doing: Doing) => this.#students.filter((other) => other === doing).length;
    return {
      ...{ size: this.#options.size, present: this.#present !== undefined },
      ...{ waiting: count('waiting'), simulating: count('simulating'), done: count('done') },
      ...{ restarted: this.#restarted, lastAnswer: this.#lastAnswer },
    };
  }

  /** All students ask at once. While a class is here, no other one comes. */
  send(): void {
    if (this.#present !== undefined) return;
    const present = new AbortController();
    // Each student listens to it a few times.
    setMaxListeners(4 * this.#options.size, present.signal);
    this.#present = present;
    this.#students = Array.from({ length: this.#options.size }, () => 'waiting');
    this.#restarted = 0;
    void Promise.all(this.#students.map((_, student) => this.#attend(student, present.signal))).then(() => {
      if (this.#present === present) this.#present = undefined;
    });
  }

  sendHome(): void {
    this.#present?.abort();
    this.#present = undefined;
    this.#students = [];
  }

  async #attend(student: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      this.#students[student] = 'waiting';
      const server = await this.#ask(signal);
      const stayed = server !== undefined && (await this.#simulate(server, student, signal));
      if (signal.aborted) return;
      if (stayed) break;
      if (server !== undefined) this.#restarted += 1;
      await this.#options.clock.sleep(PAUSE, signal);
    }
    this.#students[student] = 'done';
  }

  /** The address of a server; `undefined`: the request failed. */
  #ask(signal: AbortSignal): Promise<string | undefined> {
    const { clock, url } = this.#options;
    const asked = clock.now();
    let answered = false;
    return converse<string>(url, signal, (text, _socket, resolve) => {
      if (text === '') return;
      if (!answered) this.#lastAnswer = (clock.now() - asked) * 1000;
      answered = true;
      if (/^wss?:/.test(text)) resolve(text);
    });
  }

  /** `true`: the student left by choice. */
  async #simulate(server: string, student: number, signal: AbortSignal): Promise<boolean> {
    const { clock, random, stay } = this.#options;
    const [from, to] = stay;
    const stayed = await converse<true>(`${server.replace(/\/$/, '')}/client`, signal, (text, socket, resolve) => {
      if (text === '') socket.send(JSON.stringify({ start: { url: 'demo:rover', mode: 'w3d' } }));
      if (!text.startsWith('webots:')) return;
      this.#students[student] = 'simulating';
      void clock.sleep(from + (to - from) * random(), signal).then(() => resolve(true));
    });
    return stayed === true;
  }
}

/** A WebSocket that is closed when there is a result, when it breaks (`undefined`), or at the signal. `received` gets `''` first. */
function converse<T>(
  url: string,
  signal: AbortSignal,
  received: (text: string, socket: WebSocket, resolve: (result: T) => void) => void,
): Promise<T | undefined> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    const end = (result?: T) => {
      signal.removeEventListener('abort', leave);
      resolve(result);
      socket.terminate();
    };
    const leave = () => end();
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave);
    socket.on('open', () => received('', socket, end));
    socket.on('message', (data: Buffer) => received(data.toString('utf8'), socket, end));
    socket.on('error', () => undefined);
    socket.on('close', () => end());
  });
}
