/** @jsxRuntime automatic @jsxImportSource preact */
/** Entering a token, leaving again, and what a holder can do that belongs to no single server. */
import { useRef, useState } from 'preact/hooks';
import type { RefusalView, ViewerView } from '../core/monitor-view.ts';
import { addServer, enterToken, leave, testNotification, type Answer } from './api.ts';
import { plural } from './format.ts';
import { useUniqueId } from './use-unique-id.ts';
import type { Viewing } from './use-viewer.ts';

interface AccessProps {
  readonly viewing: Viewing;
}

const buttonWords: Readonly<Record<ViewerView['levers'], string>> = {
  none: 'How to act',
  locked: 'Enter a token',
  ready: 'Levers',
};

export function Access({ viewing }: AccessProps) {
  const { viewer } = viewing;
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useUniqueId();
  if (viewer === undefined) return null;
  return (
    <>
      <button type="button" aria-haspopup="dialog" onClick={() => dialog.current?.showModal()}>
        {viewer.name === null ? buttonWords[viewer.levers] : <span class="text">{viewer.name}</span>}
      </button>
      <dialog ref={dialog} class="small" aria-labelledby={`${id}-heading`}>
        <div class="card-head">
          <h2 id={`${id}-heading`}>Levers</h2>
          <button type="button" class="close" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </div>
        {viewer.levers === 'none' && <NoTokens />}
        {viewer.levers === 'locked' && <TokenForm viewing={viewing} />}
        {viewer.levers === 'ready' && <HolderLevers viewer={viewer} viewing={viewing} />}
      </dialog>
    </>
  );
}

/** How to get levers. */
export function NoTokens() {
  return (
    <p>
      Nobody can drain, resume, add or remove servers here, because no tokens are configured. Run{' '}
      <code>session-server token NAME</code> where the session server runs, put the line it prints into <code>"admin"</code> of
      the configuration, and enter the token here.
    </p>
  );
}

export function TokenForm({ viewing }: AccessProps) {
  const id = useUniqueId();
  const [refusal, setRefusal] = useState<RefusalView>();
  const enter = async (form: HTMLFormElement): Promise<void> => {
    const token = new FormData(form).get('token');
    const answer = await enterToken(typeof token === 'string' ? token : '');
    if (answer.kind === 'refused') setRefusal(answer.refusal);
    else viewing.became(answer.value);
  };
  return (
    <form
      class="token"
      method="post"
      action="monitor/enter"
      onSubmit={(event) => {
        event.preventDefault();
        void enter(event.currentTarget);
      }}
    >
      {viewing.signedOut && (
        <p role="alert">
          You were signed out, because the session server was started again or twelve hours have passed. What you tried since then
          was not done.
        </p>
      )}
      <label for={`${id}-token`}>Draining, resuming, adding and removing servers needs a token</label>
      <div class="field">
        <input id={`${id}-token`} name="token" type="password" autocomplete="off" required />
        <button type="submit">Enter</button>
      </div>
      {refusal !== undefined && <p role="alert">{refusal.reason}</p>}
    </form>
  );
}

function HolderLevers({ viewer, viewing }: AccessProps & { readonly viewer: ViewerView }) {
  const id = useUniqueId();
  const [said, setSaid] = useState('');
  const say = <T,>(answer: Answer<T>, done: (value: T) => string): void => {
    viewing.acted(answer);
    setSaid(answer.kind === 'refused' ? answer.refusal.reason : done(answer.value));
  };
  const add = async (form: HTMLFormElement): Promise<void> => {
    const fields = new FormData(form);
    const address = fields.get('address');
    const weight = Number(fields.get('weight'));
    if (typeof address !== 'string') return;
    const answer = await addServer({ address, ...(weight > 0 && weight !== 1 && { weight }) }, viewer);
    say(answer, () => `${address} was added and is being probed.`);
    if (answer.kind === 'answer') form.reset();
  };
  return (
    <>
      <p>
        You act as <b class="text">{viewer.name}</b>. Open a server to drain or resume it.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void add(event.currentTarget);
        }}
      >
        <label for={`${id}-address`}>Add a simulation server</label>
        <div class="field">
          <input
            id={`${id}-address`}
            name="address"
            type="text"
            placeholder="host/2000"
            autocomplete="off"
            spellcheck={false}
            required
          />
          <input
            name="weight"
            type="number"
            min="0.01"
            max="100"
            step="any"
            placeholder="weight 1"
            aria-label="Rough power; 2 is twice as strong"
          />
          <button type="submit">Add</button>
        </div>
      </form>
      <div class="buttons">
        <button
          type="button"
          onClick={() => {
            void testNotification(viewer).then((answer) =>
              say(answer, ({ notifiers }) => `A test went out on ${plural(notifiers, 'channel')}.`),
            );
          }}
        >
          Send a test notification
        </button>
        <button
          type="button"
          onClick={() => {
            void leave(viewer).then((answer) => {
              if (answer.kind === 'answer') viewing.became(answer.value);
              else setSaid(answer.refusal.reason);
            });
          }}
        >
          Forget the token
        </button>
      </div>
      <p role="status" class="text">
        {said}
      </p>
    </>
  );
}
