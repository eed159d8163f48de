/** @jsxRuntime automatic @jsxImportSource preact */
/**
 * Where the page's script starts. The HTML as served stays until the first snapshot is received; the live page
 * replaces it.
 */
import './viewer-locale.ts';
import { render } from 'preact';
import { App } from './app.tsx';
import { Board } from './board.tsx';
import { eventsUrl, needsSignIn } from './api.ts';
import { createFormat, englishOf, staleInWords } from './format.ts';
import { FormatContext } from './format-context.ts';
import { startLive, type LiveState } from './live.ts';

const root = document.getElementById('monitor');
const format = createFormat(englishOf(navigator.languages));
const isBoard = new URLSearchParams(location.search).has('board');
/** Milliseconds after which a board is loaded again: it stays open for weeks. */
const BOARD_LIFE_MS = 86_400_000;
let drawn = false;
/** Of the program that served this script. */
let version: string | undefined;
let stop: (() => void) | undefined;

function show({ snapshot, receivedAt, staleSince }: LiveState): void {
  if (root === null) return;
  version ??= snapshot.fleet.version;
  // Only with contact: without it, the browser would show an error page indefinitely.
  const isOld = isBoard && staleSince === undefined && performance.now() > BOARD_LIFE_MS;
  if (isOld || snapshot.fleet.version !== version) {
    // This script may not understand what another version sends; that version's own page does. Events are no longer
    // received meanwhile: each would restart the loading, which would then never end if it takes longer than the next
    // event.
    stop?.();
    location.reload();
    return;
  }
  if (!drawn) {
    performance.mark('draw-start');
    // Drawing everything is faster than comparing with the HTML, and nothing is painted in between.
    root.replaceChildren();
  }
  render(
    <FormatContext.Provider value={format}>
      {isBoard ? (
        <Board snapshot={snapshot} staleSince={staleSince} />
      ) : (
        <App snapshot={snapshot} live={{ receivedAt, staleSince }} />
      )}
    </FormatContext.Provider>,
    root,
  );
  if (!drawn) performance.measure('draw', 'draw-start');
  drawn = true;
}

/** The page as served is all there is, and it is out of date. */
function markAsStale(since: number): void {
  const place = document.querySelector('.top-end');
  if (drawn || place === null) return;
  const mark = document.createElement('p');
  mark.className = 'live lost';
  mark.setAttribute('role', 'status');
  mark.textContent = staleInWords(since, format);
  place.replaceChildren(mark);
}

/** A viewer who may no longer read gets the sign-in form, which the server sends instead of the page. */
function reloadIfSignedOut(): void {
  void needsSignIn().then((needed) => {
    if (needed) location.reload();
  });
}

// The page as served is painted first; a hidden tab does not even start.
requestAnimationFrame(() =>
  setTimeout(() => {
    stop = startLive({ url: eventsUrl, show, onNothingReceived: markAsStale, onError: reloadIfSignedOut });
  }, 0),
);
