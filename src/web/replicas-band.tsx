/** @jsxRuntime automatic @jsxImportSource preact */
/** Which replica leads, which follow, and how the store is that they share. */
import type { ReplicasView, ReplicaView } from '../core/views/replicas-view.ts';
import { duration, plural } from './format.ts';
import { useFormat } from './format-context.ts';

interface ReplicasBandProps {
  /** `null`: it is the only session server of its fleet. */
  readonly replicas: ReplicasView | null;
  /** A time of the present day, in seconds since the epoch. */
  readonly today: number;
}

export function ReplicasBand({ replicas, today }: ReplicasBandProps) {
  const format = useFormat();
  if (replicas === null) return null;
  const { members, missing, store } = replicas;
  return (
    <section class="card replicas" aria-label="Replicas">
      <h2>Replicas</h2>
      <ul>
        {members.map((member) => (
          <li key={member.name}>
            <Member member={member} />
          </li>
        ))}
        {missing.map(({ name, since }) => (
          <li key={`missing ${name}`}>
            <b>{name}</b> <span class="wrong">has been missing since {format.moment(since, today)}.</span>
          </li>
        ))}
        <li>
          <b>Store</b> {store.program !== null && `(${store.program}) `}
          {store.answers ? answersInWords(store.latency) : <span class="wrong">does not answer.</span>}
          {store.problems.map((problem) => (
            <span class="wrong" key={problem}>
              {' '}
              {problem}
            </span>
          ))}
        </li>
      </ul>
    </section>
  );
}

function Member({
  member: { name, leads, version, polls, silentFor, clockDifference, differingSettings },
}: {
  readonly member: ReplicaView;
}) {
  const wrong = [
    ...(silentFor > 0 ? [`It has been silent for ${duration(silentFor)}.`] : []),
    ...(clockDifference === 0 ? [] : [`Its clock differs by ${plural(Math.abs(clockDifference), 'second')}.`]),
    ...(differingSettings.length > 0 ? [`Other settings than the leader: ${differingSettings.join(', ')}.`] : []),
  ];
  return (
    <>
      <b>{name}</b> {leads ? 'leads' : 'follows'} (version {version}).
      {polls !== null && ` It polls ${plural(polls, 'server')}.`}
      {wrong.length > 0 && <span class="wrong"> {wrong.join(' ')}</span>}
    </>
  );
}

function answersInWords(latency: number | null): string {
  if (latency === null) return 'answers.';
  return `answers in ${latency < 0.001 ? 'less than 1' : Math.round(latency * 1000)} ms.`;
}
