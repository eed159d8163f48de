/** @jsxRuntime automatic @jsxImportSource preact */
/** The reserved classes of a teacher, day by day, with what can be done with each. */
import { useState } from 'preact/hooks';
import type { Answer, ReservationView } from './api.ts';
import { formats } from './formats.ts';
import { fieldsOf, toDate } from './local-time.ts';
import { fill, type Texts } from './texts/texts.ts';

export type Act = (method: string, path: string, body?: object) => Promise<Answer<unknown>>;

interface ClassListProps {
  readonly texts: Texts;
  readonly classes: readonly ReservationView[];
  readonly act: Act;
}

export function ClassList({ texts, classes, act }: ClassListProps) {
  if (classes.length === 0) return <p>{texts.none}</p>;
  const { day } = formats(texts);
  const days = [...new Set(classes.map(({ start }) => day(start)))];
  return (
    <>
      {days.map((name) => (
        <section key={name} class="day">
          <h3>{name}</h3>
          {classes
            .filter(({ start }) => day(start) === name)
            .map((reservation) => (
              <ClassRow key={reservation.id} texts={texts} reservation={reservation} act={act} />
            ))}
        </section>
      ))}
    </>
  );
}

interface ClassRowProps {
  readonly texts: Texts;
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
  const words = texts.states[state];
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
    void act('POST', `/${id}/${verb}`, body);
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
          <button type="button" class="danger" onClick={() => void act('DELETE', `/${id}`)}>
            {texts.reallyCancel}
          </button>
          {series !== null && (
            <button type="button" class="danger" onClick={() => void act('DELETE', `/${id}?andLater=true`)}>
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
  readonly texts: Texts;
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
