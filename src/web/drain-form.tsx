/** @jsxRuntime automatic @jsxImportSource preact */
/** Draining, resuming and removing one server. Buttons are never disabled, because that would take the focus away. */
import { useEffect, useState } from 'preact/hooks';
import type { ServerView, ViewerView } from '../core/views/monitor-view.ts';
import { drain, removeServer, resume, type Answer, type Drain } from './api.ts';
import { useFormat } from './format-context.ts';

interface DrainOption {
  readonly name: string;
  readonly deadline: Pick<Drain, 'lasts' | 'until'>;
}

export const newDeadlines: readonly DrainOption[] = [
  { name: 'until resumed', deadline: {} },
  { name: 'for 5 minutes', deadline: { lasts: 300 } },
  { name: 'for 15 minutes', deadline: { lasts: 900 } },
  { name: 'for 1 hour', deadline: { lasts: 3600 } },
  { name: 'for 4 hours', deadline: { lasts: 4 * 3600 } },
  { name: 'for 24 hours', deadline: { lasts: 86_400 } },
  { name: 'for 7 days', deadline: { lasts: 7 * 86_400 } },
];

interface DrainFormProps {
  readonly server: ServerView;
  readonly viewer: ViewerView;
  /** Seconds since the epoch. */
  readonly at: number;
  readonly reasonId: string;
  /** Announces the answer; whether the action was carried out. */
  readonly act: (answering: Promise<Answer<unknown>>, done: string) => Promise<boolean>;
  readonly onResumed: () => void;
}

export function DrainForm(props: DrainFormProps) {
  const { server, reasonId } = props;
  const { reason, setReason, options, picked, pick } = useDrain(server, props.at);
  const { busy, startDraining, endDraining, remove } = useServerActions(props);
  const drained = server.drain !== null;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void startDraining({ reason, ...picked?.deadline });
      }}
    >
      <label for={reasonId}>{drained ? 'Draining' : 'Drain: running sessions continue'}</label>
      <div class="field">
        <input
          id={reasonId}
          name="reason"
          type="text"
          maxLength={1000}
          placeholder="reason, visible to everyone"
          autocomplete="off"
          value={reason}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
        <select name="deadline" aria-label="How long" value={picked?.name} onChange={(event) => pick(event.currentTarget.value)}>
          {options.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <button type="submit" aria-disabled={busy}>
          {drained ? 'Change' : 'Drain'}
        </button>
        {drained && (
          <button type="button" aria-disabled={busy} onClick={() => void endDraining()}>
            Resume
          </button>
        )}
        {server.removable && <RemoveButton address={server.address} busy={busy} onRemove={() => void remove()} />}
      </div>
      <DeadlineNote deadline={picked?.deadline ?? {}} at={props.at} />
    </form>
  );
}

/** Seconds before the end at which the clients of the original warn their users, once. */
const WARNED = 300;

interface DeadlineNoteProps {
  readonly deadline: DrainOption['deadline'];
  /** Seconds since the epoch. */
  readonly at?: number;
}

/** What the end of a drain means for sessions, where it is chosen. */
export function DeadlineNote({ deadline: { lasts, until }, at = 0 }: DeadlineNoteProps) {
  const left = lasts ?? (until === undefined ? undefined : until - at);
  if (left === undefined) return null;
  return (
    <p class="muted">
      {left <= WARNED
        ? 'With five minutes or less, users are not warned: clients of the original warn once, five minutes before the end.'
        : 'Behind the gateway, users are warned five minutes before the end.'}
    </p>
  );
}

/**
 * What the form's fields hold. They start with the present drain, so that changing one of its values keeps the other.
 */
function useDrain({ drain }: ServerView, at: number) {
  const format = useFormat();
  const [reason, setReason] = useState(drain?.reason ?? '');
  const [picked, pick] = useState<string>();
  useEffect(() => {
    setReason(drain?.reason ?? '');
    pick(undefined);
  }, [drain?.since]);
  const until = drain?.until ?? null;
  const unchanged = until === null ? [] : [{ name: `unchanged, until ${format.moment(until, at)}`, deadline: { until } }];
  const options: readonly DrainOption[] = [...unchanged, ...newDeadlines];
  return { reason, setReason, options, picked: options.find(({ name }) => name === picked) ?? options[0], pick };
}

/** The three actions, one at a time. */
function useServerActions({ server: { id }, viewer, act, onResumed }: DrainFormProps) {
  const [busy, setBusy] = useState(false);
  const once = async (action: () => Promise<Answer<unknown>>, done: string): Promise<boolean> => {
    if (busy) return false;
    setBusy(true);
    const succeeded = await act(action(), done);
    setBusy(false);
    return succeeded;
  };
  return {
    busy,
    startDraining: (request: Drain) => once(() => drain(id, request, viewer), 'Draining: no new sessions will start here.'),
    endDraining: async (): Promise<void> => {
      if (await once(() => resume(id, viewer), 'Resumed: new sessions can start here as soon as the server answers.'))
        onResumed();
    },
    remove: () => once(() => removeServer(id, viewer), 'Removed.'),
  };
}

interface RemoveButtonProps {
  readonly address: string;
  readonly busy: boolean;
  readonly onRemove: () => void;
}

function RemoveButton({ address, busy, onRemove }: RemoveButtonProps) {
  const ask = (): void => {
    if (confirm(`Remove ${address} from the fleet?`)) onRemove();
  };
  return (
    <button type="button" class="danger" aria-disabled={busy} onClick={ask}>
      Remove
    </button>
  );
}
