/** @jsxRuntime automatic @jsxImportSource preact */
/** The reserved classes of a teacher in a week, day by day, with what can be done with each. */
import { useEffect, useState } from 'preact/hooks';
import type { ReservationView } from './api.ts';
import { formats } from './formats.ts';
import { fieldsOf, mondayOf, toDate, weeksFrom } from './local-time.ts';
import type { ClassTexts } from '../../core/languages/classes/texts.ts';
import { fill } from '../../core/languages/texts.ts';

export type Act = (reservation: ReservationView, method: string, path: string, body?: object) => Promise<unknown>;

interface ClassListProps {
  readonly texts: ClassTexts;
  readonly classes: readonly ReservationView[];
  readonly act: Act;
  /** A time in the week to show, ISO 8601. Another value shows its week. */
  readonly shown: string;
}

export function ClassList({ texts, classes, act, shown }: ClassListProps) {
  const [monday, setMonday] = useState(() => mondayOf(new Date(shown)));
  useEffect(() => setMonday(mondayOf(new Date(shown))), [shown]);
  if (classes.length === 0) return <p>{texts.none}</p>;
  const { day } = formats(texts);
  const inWeek = classes.filter(({ start }) => mondayOf(new Date(start)).getTime() === monday.getTime());
  const days = [...new Set(inWeek.map(({ start }) => day(start)))];
  const next = classes.find(({ start }) => Date.parse(start) > weeksFrom(monday, 1).getTime());
  return (
    <>
      <Week texts={texts} monday={monday} show={setMonday} />
      {days.length === 0 && (
        <p>
          {texts.noneInWeek}{' '}
          {next !== undefined && (
            <button type="button" onClick={() => setMonday(mondayOf(new Date(next.start)))}>
              {fill(texts.nextClass, { day: day(next.start) })}
            </button>
          )}
        </p>
      )}
      {days.map((name) => (
        <section key={name} class="day">
          <h3>{name}</h3>
          {inWeek
            .filter(({ start }) => day(start) === name)
            .map((reservation) => (
              <ClassRow key={reservation.id} texts={texts} reservation={reservation} act={act} />
            ))}
        </section>
      ))}
    </>
  );
}

interface WeekProps {
  readonly texts: ClassTexts;
  readonly monday: Date;
  readonly show: (monday: Date) => void;
}

function Week({ texts, monday, show }: WeekProps) {
  const { day } = formats(texts);
  const sunday = new Date(monday.getFullYear(), monday.getMonth(), monday.getDate() + 6);
  return (
    <div class="actions week">
      <button type="button" aria-label={texts.weekBefore} onClick={() => show(weeksFrom(monday, -1))}>
        ‹
      </button>
      <b role="status">
        {day(monday.toISOString())} – {day(sunday.toISOString())}
      </b>
      <button type="button" aria-label={texts.weekAfter} onClick={() => show(weeksFrom(monday, 1))}>
        ›
      </button>
      <button type="button" onClick={() => show(mondayOf(new Date()))}>
        {texts.thisWeek}
      </button>
    </div>
  );
}

interface ClassRowProps {
  readonly texts: ClassTexts;
  readonly reservation: ReservationView;
  readonly act: Act;
}

function ClassRow({ texts, reservation, act }: ClassRowProps) {
  const { title, code, seats, start, end, state, came, taken, project } = reservation;
  const { time } = formats(texts);
  const name = title === '' ? fill(texts.classWithCode, { code }) : title;
  return (
    <article class="card" aria-label={name}>
      <div class="row-head">
        <h4 class="text">
          {time(start)} – {time(end)} · {name}
        </h4>
        <p class="code">{code}</p>
      </div>
      {project !== null && <p class="text muted">{project}</p>}
      <p>
        <meter min={0} max={seats} value={came} aria-label={fill(texts.came, { came, seats })}></meter>{' '}
        {fill(texts.came, { came, seats })}
        {taken !== came && <> ({fill(texts.taken, { taken })})</>}
      </p>
      <StateLine texts={texts} reservation={reservation} />
      <p>
        <a href={`c/${code}/`} target="_blank" rel="noreferrer">
          {texts.studentsPage}
        </a>
      </p>
      {state !== 'over' && <Actions texts={texts} reservation={reservation} act={act} />}
    </article>
  );
}

function StateLine({ texts, reservation: { state, seats, taken, outstanding, predicted, short } }: Omit<ClassRowProps, 'act'>) {
  const words = texts[`state.${state}`];
  if (predicted === null || outstanding === 0) return <p>{words}</p>;
  const free = Math.min(seats, taken + predicted);
  if (!short) return <p>{state === 'gathering' ? `${words}: ${fill(texts.gathered, { predicted: free, seats })}` : words}</p>;
  return (
    <p class="problem">
      {words}. {fill(texts.short, { predicted: free, seats })}
    </p>
  );
}

const QUARTER = 15;
const MINUTE = 60_000;

function Actions({ texts, reservation, act }: ClassRowProps) {
  const [open, setOpen] = useState<'move' | 'cancel'>();
  const { id, start, end, state, series } = reservation;
  const post = (verb: string, body: object = {}): void => {
    setOpen(undefined);
    void act(reservation, 'POST', `/${id}/${verb}`, body);
  };
  const minutes = (Date.parse(end) - Date.parse(start)) / MINUTE;
  const isBefore = state === 'planned' || state === 'gathering';
  return (
    <div class="actions">
      <button type="button" onClick={() => post('extend', { minutes: minutes + QUARTER })}>
        {texts.longer}
      </button>
      {isBefore && (
        <button type="button" aria-expanded={open === 'move'} onClick={() => setOpen(open === 'move' ? undefined : 'move')}>
          {texts.move}
        </button>
      )}
      {!isBefore && state !== 'released' && (
        <button type="button" onClick={() => post('release')}>
          {texts.release}
        </button>
      )}
      <button type="button" aria-expanded={open === 'cancel'} onClick={() => setOpen(open === 'cancel' ? undefined : 'cancel')}>
        {texts.cancel}
      </button>
      {open === 'move' && <Move texts={texts} reservation={reservation} move={(to) => post('move', { start: to })} />}
      {open === 'cancel' && (
        <div class="actions">
          <button type="button" class="danger" onClick={() => void act(reservation, 'DELETE', `/${id}`)}>
            {texts.reallyCancel}
          </button>
          {series !== null && (
            <button type="button" class="danger" onClick={() => void act(reservation, 'DELETE', `/${id}?andLater=true`)}>
              {texts.laterToo}
            </button>
          )}
          <button type="button" onClick={() => setOpen(undefined)}>
            {texts.keep}
          </button>
        </div>
      )}
    </div>
  );
}

interface MoveProps {
  readonly texts: ClassTexts;
  readonly reservation: ReservationView;
  /** `to` is ISO 8601. */
  readonly move: (to: string) => void;
}

function Move({ texts, reservation: { id, start }, move }: MoveProps) {
  const [fields, setFields] = useState(fieldsOf(new Date(start)));
  const to = toDate(fields.day, fields.time);
  return (
    <form
      class="fields"
      onSubmit={(event) => {
        event.preventDefault();
        if (to !== undefined) move(to.toISOString());
      }}
    >
      <label for={`${id}-day`}>{texts.day}</label>
      <input
        id={`${id}-day`}
        type="date"
        required
        value={fields.day}
        onInput={({ currentTarget }) => setFields({ ...fields, day: currentTarget.value })}
      />
      <label for={`${id}-time`}>{texts.from}</label>
      <input
        id={`${id}-time`}
        type="time"
        required
        value={fields.time}
        onInput={({ currentTarget }) => setFields({ ...fields, time: currentTarget.value })}
      />
      {to === undefined && (
        <p role="alert" class="problem">
          {texts.noSuchTime}
        </p>
      )}
      <button type="submit">{texts.moveTo}</button>
    </form>
  );
}
