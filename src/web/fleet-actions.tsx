/** @jsxRuntime automatic @jsxImportSource preact */
/** Operator actions that do not belong to a single server: adding one, testing notifications, signing out. */
import { useState } from 'preact/hooks';
import type { ChannelTestView, ViewerView } from '../core/views/monitor-view.ts';
import { addServer, forgetCosts, signOut, testNotification, type Answer } from './api.ts';
import type { Viewing } from './use-viewer.ts';

interface ActionProps {
  readonly viewer: ViewerView;
  readonly viewing: Viewing;
  /** To announce the result of an action. */
  readonly onResult: (result: string) => void;
}

interface SignOutProps extends ActionProps {
  readonly onSignedOut: () => void;
}

interface FleetActionsProps extends SignOutProps {
  readonly addressId: string;
}

export function FleetActions({ addressId, onSignedOut, ...action }: FleetActionsProps) {
  return (
    <>
      <p>
        Signed in as <b class="text">{action.viewer.name}</b>. Open a server to drain or resume it.
      </p>
      <AddServerForm {...action} addressId={addressId} />
      <div class="buttons">
        <TestNotificationButton {...action} />
        <ForgetCostsButton {...action} />
        <SignOutButton {...action} onSignedOut={onSignedOut} />
      </div>
    </>
  );
}

function report<T>({ viewing, onResult }: ActionProps, answer: Answer<T>, inWords: (value: T) => string): void {
  viewing.checkAnswer(answer);
  onResult(answer.kind === 'refused' ? answer.refusal.reason : inWords(answer.value));
}

function AddServerForm({ addressId, ...action }: ActionProps & { readonly addressId: string }) {
  const add = async (form: HTMLFormElement): Promise<void> => {
    const fields = new FormData(form);
    const address = fields.get('address');
    const weight = Number(fields.get('weight'));
    if (typeof address !== 'string') return;
    const answer = await addServer({ address, ...(weight > 0 && weight !== 1 && { weight }) }, action.viewer);
    report(action, answer, () => `${address} was added and is being probed.`);
    if (answer.kind === 'answer') form.reset();
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void add(event.currentTarget);
      }}
    >
      <label for={addressId}>Add a simulation server</label>
      <div class="field">
        <input id={addressId} name="address" type="text" placeholder="host/2000" autocomplete="off" spellcheck={false} required />
        <input
          name="weight"
          type="number"
          min="0.01"
          max="100"
          step="any"
          placeholder="weight 1"
          aria-label="Relative power; 2 means twice as strong"
        />
        <button type="submit">Add</button>
      </div>
    </form>
  );
}

function TestNotificationButton(action: ActionProps) {
  const [sending, setSending] = useState(false);
  const send = async (): Promise<void> => {
    if (sending) return;
    setSending(true);
    action.onResult('Sending a test on every channel…');
    const answer = await testNotification(action.viewer);
    setSending(false);
    report(action, answer, ({ channels }) => channels.map(outcomeInWords).join('\n'));
  };
  return (
    <button type="button" aria-disabled={sending} onClick={() => void send()}>
      Send a test notification
    </button>
  );
}

/** For costs that were learned from something else than sessions. */
function ForgetCostsButton(action: ActionProps) {
  const forget = async (): Promise<void> => {
    const answer = await forgetCosts(undefined, action.viewer);
    report(action, answer, () => 'All learned costs were forgotten. They are learned again from the next sessions.');
  };
  return (
    <button type="button" onClick={() => void forget()}>
      Forget all learned costs
    </button>
  );
}

function outcomeInWords({ notifier, recipient, outcome, reason }: ChannelTestView): string {
  const whom = recipient ?? notifier;
  return outcome === 'sent' ? `${whom}: test sent.` : `${whom}: test failed${reason === null ? '.' : `: ${reason}`}`;
}

export function SignOutButton({ viewer, viewing, onResult, onSignedOut }: SignOutProps) {
  const leave = async (): Promise<void> => {
    const answer = await signOut(viewer);
    if (answer.kind === 'refused') {
      onResult(answer.refusal.reason);
      return;
    }
    onSignedOut();
    viewing.changeTo(answer.value);
  };
  return (
    <button type="button" onClick={() => void leave()}>
      Sign out
    </button>
  );
}
