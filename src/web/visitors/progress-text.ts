/** What a simulation server does before the simulation runs, in the words of a language. */
import { retryMessages, startingMessages } from '../../core/gateway/client-messages.ts';
import type { Texts } from '../../core/languages/texts.ts';
import { PROGRESS } from '../../core/simulation/sentences.ts';

/** `undefined`: it is not a line of ours. */
export function progressText(texts: Texts, line: string): string | undefined {
  const known = new Map<string, string>([
    [PROGRESS.fetching, texts.fetching],
    [PROGRESS.preparing, texts.preparing],
    [PROGRESS.starting, texts.starting],
    [PROGRESS.loading, texts.loading],
    ...startingMessages().map((message) => [message.replace('loading: ', ''), texts.starting] as const),
    ...retryMessages().map((message) => [message.replace('loading: ', ''), texts.anotherMachine] as const),
  ]);
  return known.get(line);
}
