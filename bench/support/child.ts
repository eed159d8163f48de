/** Programs of a benchmark in processes of their own, so that what they use does not count as what is measured; all end with the benchmark. */
import { fork, type ChildProcess } from 'node:child_process';
import { extname, join } from 'node:path';

export interface Child<Order, Answer> {
  readonly pid: number;
  /** Sends an order and resolves with the answer to it. */
  ask(order: Order): Promise<Answer>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
}

interface Letter {
  readonly number: number;
  readonly content: unknown;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts `<name>.ts` of this folder, or what it was built to. */
export async function startChild<Order, Answer>(name: string, args: readonly string[] = []): Promise<Child<Order, Answer>> {
  const child = fork(join(import.meta.dirname, name + extname(import.meta.filename)), args);
  running.add(child);
  const waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  const exited = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      running.delete(child);
      for (const { reject } of waiting.values()) reject(new Error(`${name} ended early (${code ?? signal})`));
      resolve();
    });
  });
  child.on('message', (message) => {
    const { number, content } = message as Letter;
    waiting.get(number)?.resolve(content as Answer);
    waiting.delete(number);
  });
  const answerTo = (number: number) => new Promise<Answer>((resolve, reject) => waiting.set(number, { resolve, reject }));
  let last = 0;
  // The first letter says that it listens.
  await answerTo(0);
  return {
    pid: child.pid ?? 0,
    ask(order) {
      const answer = answerTo((last += 1));
      child.send({ number: last, content: order } satisfies Letter);
      return answer;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** The other side: called by a child when it is ready. It ends when its parent is gone. */
export function obey(handle: (order: never) => unknown): void {
  const send = (letter: Letter) => process.send?.(letter);
  process.on('message', (message) => {
    const { number, content } = message as Letter;
    void Promise.resolve(handle(content as never)).then((answer) => {
      send({ number, content: answer });
    });
  });
  process.once('disconnect', () => process.exit());
  send({ number: 0, content: undefined });
}
