/** @jsxRuntime automatic @jsxImportSource preact */
/** Entering a token, leaving again, and what a holder can do that belongs to no single server. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ChannelTestView, RefusalView, ViewerView } from '../core/views/monitor-view.ts';
import { addServer, enterToken, leave, testNotification, type Answer } from './api.ts';
import { useNextFocus } from './use-next-focus.ts';
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
  const focusNext = useNextFocus();
  const [said, setSaid] = useState('');
  if (viewer === undefined) return null;
  const entered = (): void => {
    focusNext(`${id}-address`);
    setSaid(TOKEN_ACCEPTED);
  };
  const open = (): void => {
    viewing.sought();
    dialog.current?.showModal();
  };
  const left = (): void => {
    focusNext(`${id}-token`);
    setSaid('This browser has forgotten the token.');
  };
  return (
    <>
      <button type="button" aria-haspopup="dialog" onClick={open}>
        {viewer.name === null ? buttonWords[viewer.levers] : <span class="text">{viewer.name}</span>}
      </button>
      <dialog ref={dialog} class="small" aria-labelledby={`${id}-heading`}>
        <div class="card-head">
          <h2 id={`${id}-heading`}>Levers</h2>
          <button type="button" class="close" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </div>
        {viewer.name !== null && viewer.levers !== 'ready' && (
          <p>
            The token of <b class="text">{viewer.name}</b> may only read.
          </p>
        )}
        {viewer.levers === 'none' && <NoTokens />}
        {viewer.levers === 'locked' && <TokenForm viewing={viewing} fieldId={`${id}-token`} onEntered={entered} />}
        {viewer.levers === 'ready' && (
          <HolderLevers viewer={viewer} viewing={viewing} addressId={`${id}-address`} onSaid={setSaid} onLeft={left} />
        )}
        {viewer.name !== null && viewer.levers !== 'ready' && (
          <div class="buttons">
            <Forget viewer={viewer} viewing={viewing} onSaid={setSaid} onLeft={left} />
          </div>
        )}
        <p role="status" class="text said">
          {said === '' ? null : said}
        </p>
      </dialog>
    </>
  );
}

/** Said to who entered a token: the form it was entered into is gone then. */
export const TOKEN_ACCEPTED = 'The token was accepted.';

/** How to get levers. */
export function NoTokens() {
  return (
    <p>
      Nobody can drain, resume, add or remove servers here, because no tokens are configured for that. Run{' '}
      <code>session-server token NAME</code> where the session server runs, put the line it prints into <code>"admin"</code> of
      the configuration, and enter the token here.
    </p>
  );
}

interface TokenFormProps extends AccessProps {
  readonly fieldId: string;
  readonly onEntered: () => void;
}

export function TokenForm({ viewing, fieldId, onEntered }: TokenFormProps) {
  const [refusal, setRefusal] = useState<RefusalView>();
  useEffect(() => {
    // It took the place of the lever that was pulled in vain.
    if (viewing.signedOut && document.activeElement === document.body) document.getElementById(fieldId)?.focus();
  }, []);
  const enter = async (form: HTMLFormElement): Promise<void> => {
    const token = new FormData(form).get('token');
    const answer = await enterToken(typeof token === 'string' ? token : '');
    if (answer.kind === 'refused') {
      setRefusal(answer.refusal);
      return;
    }
    const { name, levers } = answer.value;
    if (levers === 'ready') onEntered();
    else {
      form.reset();
      setRefusal({ code: 'token-read-only', reason: `The token of ${name ?? ''} may only read; to act enter another one.` });
    }
    viewing.became(answer.value);
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
      <label for={fieldId}>Draining, resuming, adding and removing servers needs a token</label>
      <div class="field">
        <input id={fieldId} name="token" type="password" autocomplete="off" required />
        <button type="submit">Enter</button>
      </div>
      {refusal !== undefined && <p role="alert">{refusal.reason}</p>}
    </form>
  );
}

interface HolderLeversProps extends ForgetProps {
  readonly addressId: string;
}

function HolderLevers({ viewer, viewing, addressId, onSaid, onLeft }: HolderLeversProps) {
  const [sending, setSending] = useState(false);
  const say = <T,>(answer: Answer<T>, done: (value: T) => string): void => {
    viewing.acted(answer);
    onSaid(answer.kind === 'refused' ? answer.refusal.reason : done(answer.value));
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
  const tryChannels = async (): Promise<void> => {
    if (sending) return;
    setSending(true);
    onSaid('A test is being sent on every channel …');
    const answer = await testNotification(viewer);
    setSending(false);
    say(answer, ({ channels }) => channels.map(outcomeInWords).join('\n'));
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
        <label for={addressId}>Add a simulation server</label>
        <div class="field">
          <input
            id={addressId}
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
        <button type="button" aria-disabled={sending} onClick={() => void tryChannels()}>
          Send a test notification
        </button>
        <Forget viewer={viewer} viewing={viewing} onSaid={onSaid} onLeft={onLeft} />
      </div>
    </>
  );
}

interface ForgetProps extends AccessProps {
  readonly viewer: ViewerView;
  /** What became of an act. */
  readonly onSaid: (said: string) => void;
  readonly onLeft: () => void;
}

function Forget({ viewer, viewing, onSaid, onLeft }: ForgetProps) {
  const forget = async (): Promise<void> => {
    const answer = await leave(viewer);
    if (answer.kind === 'refused') {
      onSaid(answer.refusal.reason);
      return;
    }
    onLeft();
    viewing.became(answer.value);
  };
  return (
    <button type="button" onClick={() => void forget()}>
      Forget the token
    </button>
  );
}

function outcomeInWords({ notifier, recipient, outcome, reason }: ChannelTestView): string {
  const whom = recipient ?? notifier;
  return outcome === 'sent' ? `${whom}: a test was sent.` : `${whom}: the test failed${reason === null ? '.' : `: ${reason}`}`;
}
