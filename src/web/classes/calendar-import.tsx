/** @jsxRuntime automatic @jsxImportSource preact */
/** Reserves what a calendar file contains, after a preview. */
import { useState } from 'preact/hooks';
import type { ClassTexts } from '../../core/languages/classes/texts.ts';
import { fill } from '../../core/languages/texts.ts';
import { importCalendar, type CalendarImport, type ImportedEvent } from './api.ts';
import { formats } from './formats.ts';
import { refusalWords } from './refusal-words.ts';

interface CalendarImportFormProps {
  readonly texts: ClassTexts;
  readonly token: string;
  /** `start` is ISO 8601. */
  readonly made: (start: string) => Promise<unknown>;
}

export function CalendarImportForm({ texts, token, made }: CalendarImportFormProps) {
  const [file, setFile] = useState('');
  const [found, setFound] = useState<CalendarImport>();
  const [problem, setProblem] = useState('');
  const send = async (text: string, apply: boolean): Promise<void> => {
    const answer = await importCalendar(token, text, apply);
    setFound(answer.kind === 'answer' ? answer.value : undefined);
    setProblem(answer.kind === 'answer' ? '' : refusalWords(answer.refusal, texts, 0));
    const first = answer.kind === 'answer' && apply ? answer.value.events.find(changes)?.first : undefined;
    if (typeof first === 'string') await made(first);
  };
  const choose = async (chosen: File | undefined): Promise<void> => {
    const text = (await chosen?.text()) ?? '';
    setFile(text);
    if (text !== '') await send(text, false);
  };
  const count = found?.events.filter(changes).length ?? 0;
  return (
    <details>
      <summary>{texts.importCalendar}</summary>
      <p id="import-help" class="muted">
        {texts.importHelp}
      </p>
      <label for="calendar-file">{texts.calendarFile}</label>
      <input
        id="calendar-file"
        type="file"
        accept=".ics,text/calendar"
        aria-describedby="import-help"
        onChange={({ currentTarget }) => void choose(currentTarget.files?.[0])}
      />
      <div role="status">
        {problem !== '' && <p class="problem">{problem}</p>}
        {found !== undefined && (
          <ul>
            {found.events.map((event) => (
              <Event key={event.uid} texts={texts} event={event} applied={found.applied} />
            ))}
          </ul>
        )}
      </div>
      {found?.applied === false && count > 0 && (
        <button type="button" class="primary" onClick={() => void send(file, true)}>
          {fill(texts.importNow, { count })}
        </button>
      )}
    </details>
  );
}

interface EventProps {
  readonly texts: ClassTexts;
  readonly event: ImportedEvent;
  readonly applied: boolean;
}

function Event({ texts, event, applied }: EventProps) {
  const { title, outcome, refusal, seats, lessons, first, code } = event;
  const { day, time } = formats(texts);
  return (
    <li>
      <b class="text">{title}</b>
      {first !== null && `, ${day(first)}, ${time(first)}`}
      {seats !== null && `, ${fill(texts.importedSeats, { seats, lessons })}`}:{' '}
      {applied && changes(event) ? fill(texts.made, { code: code ?? '' }) : texts[`import.${outcome}`]}
      {refusal !== null && ` ${refusalWords(refusal, texts, seats ?? 0)}`}
    </li>
  );
}

function changes({ outcome }: ImportedEvent): boolean {
  return outcome === 'new' || outcome === 'changed';
}
