/** Questions at the terminal, which the operator answers or leaves with Ctrl-C or Ctrl-D. */
import { createInterface } from 'node:readline/promises';

export interface Prompt {
  /** Throws an `ABORT_ERR` once the operator left. */
  readonly ask: (question: string, preset: string) => Promise<string>;
  /** How the operator left, `undefined` before. */
  readonly left: 'interrupted' | 'ended' | undefined;
  readonly close: () => void;
}

export function askAtTerminal(input: NodeJS.ReadableStream, output: NodeJS.WritableStream, terminal = true): Prompt {
  const lines = createInterface({ input, output, terminal });
  const gone = new AbortController();
  let left: Prompt['left'];
  lines.once('SIGINT', () => {
    left = 'interrupted';
    lines.close();
  });
  // Without it a question that is open would never be answered.
  lines.once('close', () => {
    left ??= 'ended';
    gone.abort();
  });
  return {
    async ask(question, preset) {
      const shown = `${question}${preset === '' ? '' : ` [${preset}]`}: `;
      const answer = await lines.question(shown, { signal: gone.signal });
      return answer.trim() === '' ? preset : answer;
    },
    get left() {
      return left;
    },
    close: () => lines.close(),
  };
}
