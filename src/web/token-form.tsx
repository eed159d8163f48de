/** @jsxRuntime automatic @jsxImportSource preact */
/** Signing in with a token, in the dialog of the page's head and in a server's panel. */
import { useEffect, useState } from 'preact/hooks';
import type { RefusalView } from '../core/views/monitor-view.ts';
import { signIn, signInUrl } from './api.ts';
import type { Viewing } from './use-viewer.ts';

/** Announced after signing in, because the form is gone then. */
export const TOKEN_ACCEPTED = 'Signed in.';

/** How to set up operator actions. */
export function NoTokens() {
  return (
    <p>
      To drain, resume, add or remove servers here, you need a token. Run <code>session-server token NAME</code> on the machine of
      the session server, add the line with <code>"admin"</code> that it prints to the configuration, and sign in here with the
      token.
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
  const { signInAt = null } = viewing.viewer ?? {};
  if (signInAt !== null)
    return (
      <p>
        Operators sign in at{' '}
        <a id={fieldId} href={signInAt}>
          {signInAt}
        </a>
        .
      </p>
    );
  return (
    <form
      class="token"
      method="post"
      action={signInUrl}
      onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
      }}
    >
      {viewing.signedOut && (
        <p role="alert">
          You were signed out, because the session server restarted or twelve hours have passed. Actions since then were not
          carried out.
        </p>
      )}
      <label for={fieldId}>Sign in with a token to drain, resume, add or remove servers</label>
      <div class="field">
        <input id={fieldId} name="token" type="password" autocomplete="off" required />
        <button type="submit">Sign in</button>
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
    const { name, actions } = answer.value;
    if (actions === 'ready') onEntered();
    else {
      form.reset();
      setRefusal({
        code: 'token-read-only',
        reason: `The token of ${name ?? ''} is read-only. Use another one for operator actions.`,
      });
    }
    viewing.changeTo(answer.value);
  };
  return { refusal, submit };
}
