/** @jsxRuntime automatic @jsxImportSource preact */
/** How long the class would wait without a reservation, and what would help: simulated, so it takes seconds. */
import { useState } from 'preact/hooks';
import type { ClassTexts } from '../../core/languages/classes/texts.ts';
import { rehearse, type Rehearsal, type Wish } from './api.ts';
import { refusalWords } from './refusal-words.ts';
import { waitsWords } from './waits-words.ts';

interface RehearsedWaitsProps {
  readonly texts: ClassTexts;
  readonly token: string;
  /** A sentence: it is not complete. */
  readonly wish: Wish | string | undefined;
}

interface Found {
  readonly asked: string;
  readonly lines: readonly string[];
}

export function RehearsedWaits({ texts, token, wish }: RehearsedWaitsProps) {
  const [found, setFound] = useState<Found>();
  const [runs, setRuns] = useState(false);
  const asked = JSON.stringify(wish);
  const ask = async (): Promise<void> => {
    if (typeof wish !== 'object') return;
    setRuns(true);
    const answer = await rehearse(token, wish, true);
    setRuns(false);
    const lines =
      answer.kind === 'answer' ? linesOf(answer.value, texts, wish.seats) : [refusalWords(answer.refusal, texts, wish.seats)];
    setFound({ asked, lines });
  };
  return (
    <div class="wide">
      <button type="button" disabled={typeof wish !== 'object' || runs} onClick={() => void ask()}>
        {texts.rehearse}
      </button>
      <div role="status">
        {runs && <p class="muted">{texts.rehearsing}</p>}
        {!runs && found?.asked === asked && (
          <ul>
            {found.lines.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
}

function linesOf({ waits, waitChanges }: Rehearsal, texts: ClassTexts, people: number): readonly string[] {
  if (waits === null) return [texts.waitsNotKnown];
  const changes = waitChanges.map((change) => `${texts[`with.${change.kind}`]}: ${waitsWords(change.waits, texts, people)}`);
  return [`${texts['with.nothing']}: ${waitsWords(waits, texts, people)}`, ...changes];
}
