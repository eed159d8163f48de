/** @jsxRuntime automatic @jsxImportSource preact */
/** What the page says about itself: a visible notice, and announcements to screen readers. */
import { useEffect, useRef, useState } from 'preact/hooks';

interface NoticeProps {
  /** Empty: none. */
  readonly text: string;
  readonly onClose: () => void;
}

/** The region stays in the document without a text: screen readers announce only changes of a region they know. */
export function Notice({ text, onClose }: NoticeProps) {
  const empty = text === '';
  return (
    <div class={empty ? 'notice' : 'notice shown'}>
      <p class="text" role="status">
        {empty ? null : text}
      </p>
      {!empty && (
        <button type="button" onClick={onClose}>
          Close
        </button>
      )}
    </div>
  );
}

/** Announces what matters, once. Numbers that change every second would make a screen reader talk without a pause. */
export function Announcer({ open, stale }: { readonly open: boolean; readonly stale: boolean }) {
  const [announced, announce] = useState('');
  const before = useRef({ open, stale });
  useEffect(() => {
    if (before.current.stale !== stale) announce(stale ? 'Connection lost. Reconnecting…' : 'Connected again.');
    else if (before.current.open !== open) announce(open ? 'Sessions can start again.' : 'No session can start now.');
    before.current = { open, stale };
  }, [open, stale]);
  return (
    <p class="hidden" role="status">
      {announced === '' ? null : announced}
    </p>
  );
}
