/** @jsxRuntime automatic @jsxImportSource preact */
/** Signing in and out, and the operator actions that do not belong to a single server. */
import { useRef, useState } from 'preact/hooks';
import type { ViewerView } from '../core/views/monitor-view.ts';
import { FleetActions, SignOutButton } from './fleet-actions.tsx';
import { NoTokens, TOKEN_ACCEPTED, TokenForm } from './token-form.tsx';
import { useNextFocus } from './use-next-focus.ts';
import { useUniqueId } from './use-unique-id.ts';
import type { Viewing } from './use-viewer.ts';

const buttonWords: Readonly<Record<ViewerView['actions'], string>> = {
  none: 'Get access',
  locked: 'Sign in',
  ready: 'Operator actions',
};

/** The button in the page's head, and its dialog. */
export function Access({ viewing }: { readonly viewing: Viewing }) {
  const { viewer } = viewing;
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useUniqueId();
  if (viewer === undefined) return null;
  const open = (): void => {
    viewing.recheck();
    dialog.current?.showModal();
    document.getElementById(`${id}-token`)?.focus();
  };
  return (
    <>
      <button type="button" aria-haspopup="dialog" onClick={open}>
        {viewer.name === null ? buttonWords[viewer.actions] : <span class="text">{viewer.name}</span>}
      </button>
      <dialog ref={dialog} class="small" aria-labelledby={`${id}-heading`}>
        <div class="card-head">
          <h2 id={`${id}-heading`}>Operator actions</h2>
          <button type="button" class="close" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </div>
        <DialogBody viewer={viewer} viewing={viewing} id={id} />
      </dialog>
    </>
  );
}

interface DialogBodyProps {
  readonly viewer: ViewerView;
  readonly viewing: Viewing;
  readonly id: string;
}

function DialogBody({ viewer, viewing, id }: DialogBodyProps) {
  const focusNext = useNextFocus();
  const [result, setResult] = useState('');
  const readsOnly = viewer.name !== null && viewer.actions !== 'ready';
  const entered = (): void => {
    focusNext(`${id}-address`);
    setResult(TOKEN_ACCEPTED);
  };
  const signedOut = (): void => {
    focusNext(`${id}-token`);
    setResult('Signed out.');
  };
  const action = { viewer, viewing, onResult: setResult, onSignedOut: signedOut };
  return (
    <>
      {readsOnly && (
        <p>
          Signed in as <b class="text">{viewer.name}</b> with a read-only token.
        </p>
      )}
      {viewer.actions === 'none' && <NoTokens />}
      {viewer.actions === 'locked' && <TokenForm viewing={viewing} fieldId={`${id}-token`} onEntered={entered} />}
      {viewer.actions === 'ready' && <FleetActions {...action} addressId={`${id}-address`} />}
      {readsOnly && (
        <div class="buttons">
          <SignOutButton {...action} />
        </div>
      )}
      <p role="status" class="text said">
        {result === '' ? null : result}
      </p>
    </>
  );
}
