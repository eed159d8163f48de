/**
 * Which server's panel is open. It is part of the page's address, so that it can be sent to a colleague and the
 * browser's back button closes the panel.
 */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { ServerView } from '../core/views/monitor-view.ts';

const HASH = '#server=';

/** Of a link that opens the panel of a server. */
export function panelHref(id: string): string {
  return `${HASH}${encodeURIComponent(id)}`;
}

export interface OpenedServer {
  readonly server: ServerView | undefined;
  /** `undefined` closes the panel. */
  readonly open: (id: string | undefined) => void;
  /** Why the panel that was asked for is not open; empty: no reason to say anything. */
  readonly notice: string;
  readonly dismissNotice: () => void;
}

/** `live`: scripts run. `onGone`: a server that was to be shown is not in the fleet. */
export function useOpenedServerOrNotice(servers: readonly ServerView[], live: boolean, onGone: () => void): OpenedServer {
  const [id, open] = useServerInAddress();
  const server = id === undefined ? undefined : servers.find((server) => server.id === id);
  const gone = live && id !== undefined && server === undefined;
  const lastShown = useRef<ServerView | undefined>(undefined);
  const [notice, setNotice] = useState('');
  useEffect(() => {
    if (server !== undefined) {
      lastShown.current = server;
      setNotice('');
    }
    if (!gone) return;
    const removed = lastShown.current?.id === id ? lastShown.current : undefined;
    setNotice(removed === undefined ? `There is no simulation server ${id}.` : `${removed.address} is no longer in the fleet.`);
    open(undefined);
    onGone();
  }, [id, gone, open]);
  return { server, open, notice, dismissNotice: () => setNotice('') };
}

function useServerInAddress(): readonly [string | undefined, (id: string | undefined) => void] {
  const [opened, setOpened] = useState<string>();
  useEffect(() => {
    const follow = (): void => setOpened(serverInAddress());
    follow();
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const open = useCallback((id: string | undefined) => {
    if (id !== undefined) location.hash = panelHref(id);
    else if (serverInAddress() !== undefined) history.pushState(null, '', location.pathname + location.search);
    setOpened(id);
  }, []);
  return [opened, open];
}

function serverInAddress(): string | undefined {
  if (!location.hash.startsWith(HASH)) return undefined;
  try {
    return decodeURIComponent(location.hash.slice(HASH.length));
  } catch {
    return undefined;
  }
}
