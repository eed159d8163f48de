/** @jsxRuntime automatic @jsxImportSource preact */
/** Signing in with a token, in the dialog of the page's head and in a server's panel. */
import { useEffect, useState } from 'preact/hooks';
import type { RefusalView } from '../core/views/monitor-view.ts';
import { signIn } from './api.ts';
import type { Viewing } from './use-viewer.ts';

/** Announced after signing in, because the form is gone then. */
export const TOKEN_ACCEPTED = 'The token was accepted.';

/** How to set up operator actions. */
export function NoTokens() {
  return (
    <p>
      Nobody can drain, resume, add or remove servers here, because no tokens are configured for that. Run{' '}
      <code>session-server token NAME</code> where the session server runs, put the line it prints into <code>"admin"</code> of
      the configuration, and enter the token here.
    </p>
  );
}

interface TokenFormProps {
  readonly viewing: Viewing;
  readonly fieldId: string;
  readonly onEntered: () => void;
}

export function TokenForm({ viewing, fieldId, onEntered }: TokenFormProps) {
  const { refusal, submit } = useSignIn(viewing, onEntered);
  useEffect(() => {
    // The form has replaced the control of the action that was refused.
    if (viewing.signedOut && document.activeElement === document.body) document.getElementById(fieldId)?.focus();
  }, []);
  return (
    <form
      class="token"
      method="post"
      action="monitor/enter"
      onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
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

function useSignIn(viewing: Viewing, onEntered: () => void) {
  const [refusal, setRefusal] = useState<RefusalView>();
  const submit = async (form: HTMLFormElement): Promise<void> => {
    const token = new FormData(form).get('token');
    const answer = await signIn(typeof token === 'string' ? token : '');
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
    viewing.changeTo(answer.value);
  };
  return { refusal, submit };
}
