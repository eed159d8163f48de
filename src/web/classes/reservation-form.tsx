/** @jsxRuntime automatic @jsxImportSource preact */
/** The form for a new reservation. While the teacher types, it says whether the seats would be there, and when else. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ask, rehearse, type Answer, type Rehearsal, type ReservationView, type Wish } from './api.ts';
import { formats } from './formats.ts';
import type { ClassTexts } from '../../core/languages/classes/texts.ts';
import { fill } from '../../core/languages/texts.ts';
import { refusalWords } from './refusal-words.ts';
import { RehearsedWaits } from './rehearsed-waits.tsx';
import { firstFields, movedTo, wishOf, type Fields } from './wish.ts';

interface ReservationFormProps {
  readonly texts: ClassTexts;
  readonly token: string;
  /** `start` is ISO 8601. */
  readonly made: (start: string) => Promise<unknown>;
}

interface Asked {
  readonly answer: Answer<ReservationView>;
  readonly seats: number;
  readonly isWeekly: boolean;
  /** Where one lesson does not fit. */
  readonly rehearsal?: Rehearsal;
}
type Trial = Asked | undefined;

/** Milliseconds after the last key. */
const PAUSE = 400;

export function ReservationForm({ texts, token, made }: ReservationFormProps) {
  const [fields, setFields] = useState(() => firstFields(Date.now()));
  const [said, setSaid] = useState('');
  const wish = wishOf(fields, texts);
  const trial = useTrial(token, wish);
  const reserve = async (): Promise<void> => {
    if (typeof wish !== 'object') return;
    const answer = await ask<ReservationView>(token, 'POST', '', wish);
    setSaid(answer.kind === 'answer' ? madeWords(answer.value, texts) : refusalWords(answer.refusal, texts, wish.seats));
    if (answer.kind !== 'answer') return;
    setFields({ ...fields, code: '' });
    await made(answer.value.start);
  };
  return (
    <section aria-labelledby="make">
      <h2 id="make">{texts.make}</h2>
      <form
        class="card fields"
        onSubmit={(event) => {
          event.preventDefault();
          void reserve();
        }}
      >
        <MainFields texts={texts} fields={fields} change={setFields} />
        <MoreFields texts={texts} fields={fields} change={setFields} />
        <div role="status" class="wide">
          {typeof wish === 'string' ? (
            <p class="problem">{wish}</p>
          ) : (
            trial !== undefined && (
              <TrialAnswer texts={texts} trial={trial} choose={(start) => setFields(movedTo(fields, start))} />
            )
          )}
        </div>
        <button type="submit" class="primary" disabled={typeof wish !== 'object'}>
          {texts.reserve}
        </button>
        <RehearsedWaits texts={texts} token={token} wish={wish} />
        <p role="status" class="wide">
          {said}
        </p>
      </form>
    </section>
  );
}

function madeWords({ code, lessons }: ReservationView, texts: ClassTexts): string {
  return lessons === undefined ? fill(texts.made, { code }) : fill(texts.madeWeekly, { lessons, code });
}

/** The answer of the server to the reservation as the form has it now. */
function useTrial(token: string, wish: ReturnType<typeof wishOf>): Trial {
  const [trial, setTrial] = useState<Trial>();
  const asked = typeof wish === 'object' ? JSON.stringify(wish) : '';
  useEffect(() => {
    if (asked === '') return undefined;
    const current = { is: true };
    const timer = setTimeout(() => {
      void trialOf(token, JSON.parse(asked) as Wish).then((found) => {
        if (current.is) setTrial(found);
      });
    }, PAUSE);
    return () => {
      current.is = false;
      clearTimeout(timer);
    };
  }, [token, asked]);
  return trial;
}

async function trialOf(token: string, wish: Wish): Promise<Asked> {
  const answer = await ask<ReservationView>(token, 'POST', '?dryRun=true', wish);
  const trial = { answer, seats: wish.seats, isWeekly: wish.weekly !== undefined };
  if (answer.kind === 'answer' || answer.refusal.numbers === undefined || trial.isWeekly) return trial;
  const rehearsal = await rehearse(token, wish);
  return rehearsal.kind === 'answer' ? { ...trial, rehearsal: rehearsal.value } : trial;
}

interface TrialAnswerProps {
  readonly texts: ClassTexts;
  readonly trial: NonNullable<Trial>;
  readonly choose: (start: string) => void;
}

function TrialAnswer({ texts, trial: { answer, seats, isWeekly, rehearsal }, choose }: TrialAnswerProps) {
  if (answer.kind === 'answer') {
    const { lessons, free = seats, atOnce = seats } = answer.value;
    const words = lessons === undefined ? fill(texts.fits, { seats, free }) : fill(texts.fitsEachWeek, { seats, lessons });
    const pace = atOnce < seats ? ` ${fill(texts.notAllAtOnce, { seats, atOnce })}` : '';
    return (
      <p class="good">
        {words}
        {pace}
      </p>
    );
  }
  const { numbers } = answer.refusal;
  return (
    <>
      <p class="problem">{refusalWords(answer.refusal, texts, seats)}</p>
      {!isWeekly && numbers !== undefined && <OtherTimes texts={texts} starts={numbers.alternatives} choose={choose} />}
      {rehearsal !== undefined && <Changes texts={texts} rehearsal={rehearsal} />}
    </>
  );
}

/** What else would help. Other times have buttons of their own. */
function Changes({ texts, rehearsal: { seats, changes } }: { readonly texts: ClassTexts; readonly rehearsal: Rehearsal }) {
  return (
    <ul>
      {changes.map(
        ({ kind, seats: then }) =>
          kind !== 'other-time' && (
            <li key={kind}>{kind === 'two-groups' ? texts.twoGroups : fill(texts.oneMoreServer, { seats: then })}</li>
          ),
      )}
      <li>{fill(texts.range, seats)}</li>
    </ul>
  );
}

interface OtherTimesProps {
  readonly texts: ClassTexts;
  /** ISO 8601. */
  readonly starts: readonly string[];
  readonly choose: (start: string) => void;
}

function OtherTimes({ texts, starts, choose }: OtherTimesProps) {
  const { day, time } = formats(texts);
  if (starts.length === 0) return <p>{texts.noOtherTimes}</p>;
  return (
    <>
      <p>{texts.otherTimes}</p>
      <p class="actions">
        {starts.map((start) => (
          <button key={start} type="button" onClick={() => choose(start)}>
            {day(start)}, {time(start)}
          </button>
        ))}
      </p>
    </>
  );
}

interface FieldsProps {
  readonly texts: ClassTexts;
  readonly fields: Fields;
  readonly change: (fields: Fields) => void;
}

type TextField = Exclude<keyof Fields, 'match'>;

interface FieldProps extends FieldsProps {
  readonly name: TextField;
  readonly label: string;
  readonly help?: string;
  readonly input: JSX.IntrinsicElements['input'];
}

function Field({ fields, change, name, label, help, input }: FieldProps) {
  const helpId = help === undefined ? undefined : `${name}-help`;
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <input
        {...input}
        id={name}
        autocomplete="off"
        value={fields[name]}
        {...(helpId !== undefined && { 'aria-describedby': helpId })}
        onInput={({ currentTarget }) => change({ ...fields, [name]: currentTarget.value })}
      />
      {help !== undefined && (
        <p id={helpId} class="muted">
          {help}
        </p>
      )}
    </div>
  );
}

function MainFields(props: FieldsProps) {
  const { texts } = props;
  return (
    <>
      <Field {...props} name="title" label={texts.name} help={texts.nameHelp} input={{ type: 'text', maxLength: 120 }} />
      <Field {...props} name="day" label={texts.day} input={{ type: 'date', required: true }} />
      <Field {...props} name="from" label={texts.from} input={{ type: 'time', required: true }} />
      <Field {...props} name="to" label={texts.to} input={{ type: 'time', required: true }} />
      <Field
        {...props}
        name="weekly"
        label={texts.weekly}
        help={texts.weeklyHelp}
        input={{ type: 'date', min: props.fields.day }}
      />
      <Field {...props} name="seats" label={texts.seats} input={{ type: 'number', min: 1, max: 10_000, required: true }} />
      <Field {...props} name="project" label={texts.project} help={texts.projectHelp} input={{ type: 'url', maxLength: 1000 }} />
    </>
  );
}

const MINUTES = { type: 'number', min: 0, max: 120 } as const;

function MoreFields(props: FieldsProps) {
  const { texts, fields, change } = props;
  return (
    <details class="wide">
      <summary>{texts.more}</summary>
      <div class="fields">
        <Field {...props} name="code" label={texts.code} help={texts.codeHelp} input={{ type: 'text', maxLength: 64 }} />
        <div class="field">
          <label for="match">{texts.whoBelongs}</label>
          <select
            id="match"
            value={fields.match}
            onChange={({ currentTarget }) => change({ ...fields, match: currentTarget.value as Fields['match'] })}
          >
            <option value="code">{texts.byCode}</option>
            <option value="project">{texts.byProject}</option>
            <option value="either">{texts.byEither}</option>
          </select>
        </div>
        <Field {...props} name="opens" label={`${texts.opens} (${texts.minutes})`} input={MINUTES} />
        <Field {...props} name="grace" label={`${texts.grace} (${texts.minutes})`} input={MINUTES} />
      </div>
    </details>
  );
}
