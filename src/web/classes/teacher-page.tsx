/** @jsxRuntime automatic @jsxImportSource preact */
/** The page of teachers: their token, their classes, and a form for a new one. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import { ask, NO_ANSWER, type ReservationView } from './api.ts';
import { CalendarImportForm } from './calendar-import.tsx';
import { ClassList, type Act } from './class-list.tsx';
import { refusalWords } from './refusal-words.ts';
import { ReservationForm } from './reservation-form.tsx';
import type { ClassTexts } from '../../core/languages/classes/texts.ts';

/** Milliseconds. */
const REFRESH = 10_000;

interface Listed {
  readonly reservations: readonly ReservationView[];
  /** Path. */
  readonly calendar: string;
}

export function TeacherPage({ texts }: { readonly texts: ClassTexts }) {
  const [token, setToken] = useState<string>();
  const [problem, setProblem] = useState('');
  const [listed, setListed] = useState<Listed>({ reservations: [], calendar: '' });
  const load = useCallback(
    async (as: string): Promise<boolean> => {
      const answer = await ask<Listed>(as, 'GET');
      const isDone = answer.kind === 'answer';
      if (isDone) setListed(answer.value);
      setProblem(isDone ? '' : answer.refusal.code === NO_ANSWER ? texts.noAnswer : texts.wrongToken);
      return isDone;
    },
    [texts],
  );
  useEffect(() => {
    if (token === undefined) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) void load(token);
    }, REFRESH);
    return () => clearInterval(timer);
  }, [token, load]);
  const enter = async (entered: string): Promise<void> => {
    if (await load(entered)) setToken(entered);
  };
  return (
    <>
      <h1>{texts.title}</h1>
      {problem !== '' && (
        <p role="alert" class="problem">
          {problem}
        </p>
      )}
      {token === undefined ? (
        <SignIn texts={texts} enter={(entered) => void enter(entered)} />
      ) : (
        <Classes texts={texts} token={token} listed={listed} load={() => load(token)} leave={() => setToken(undefined)} />
      )}
    </>
  );
}

interface ClassesProps {
  readonly texts: ClassTexts;
  readonly token: string;
  readonly listed: Listed;
  readonly load: () => Promise<boolean>;
  readonly leave: () => void;
}

function Classes({ texts, token, listed: { reservations, calendar }, load, leave }: ClassesProps) {
  const [said, setSaid] = useState('');
  const [shown, setShown] = useState(() => new Date().toISOString());
  const made = async (start: string): Promise<void> => {
    await load();
    setShown(start);
  };
  const act: Act = async ({ seats }, method, path, body) => {
    const answer = await ask(token, method, path, body);
    setSaid(answer.kind === 'answer' ? texts.done : refusalWords(answer.refusal, texts, seats));
    await load();
    return answer;
  };
  return (
    <>
      <section aria-labelledby="yours">
        <h2 id="yours">{texts.yours}</h2>
        <ClassList texts={texts} classes={reservations} act={act} shown={shown} />
        <p role="status">{said}</p>
      </section>
      <ReservationForm texts={texts} token={token} made={made} />
      <CalendarImportForm texts={texts} token={token} made={made} />
      <details>
        <summary>{texts.calendar}</summary>
        <p class="muted">{texts.calendarHelp}</p>
        <p>
          <code class="text">{new URL(calendar.slice(1), document.baseURI).href}</code>
        </p>
      </details>
      <p>
        <button type="button" onClick={leave}>
          {texts.signOut}
        </button>
      </p>
    </>
  );
}

/** The only thing to do on the page. */
function focus(input: HTMLInputElement | null): void {
  input?.focus();
}

function SignIn({ texts, enter }: { readonly texts: ClassTexts; readonly enter: (token: string) => void }) {
  const [value, setValue] = useState('');
  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault();
        enter(value.trim());
      }}
    >
      <label for="token">{texts.token}</label>
      <input
        id="token"
        ref={focus}
        type="password"
        autocomplete="current-password"
        required
        value={value}
        aria-describedby="token-help"
        onInput={({ currentTarget }) => setValue(currentTarget.value)}
      />
      <p id="token-help" class="muted">
        {texts.tokenHelp}
      </p>
      <button type="submit" class="primary">
        {texts.signIn}
      </button>
    </form>
  );
}
