/** @jsxRuntime automatic @jsxImportSource preact */
/** Where the page's script begins: the HTML as it was served stays until the first snapshot comes, then the live page takes its place. */
import './viewer-locale.ts';
import { render } from 'preact';
import { App } from './app.tsx';
import { eventsUrl, isShutOut } from './api.ts';
import { createFormat, staleInWords } from './format.ts';
import { FormatContext } from './format-context.ts';
import { startLive, type LiveState } from './live.ts';

const root = document.getElementById('monitor');
const format = createFormat();
let drawn = false;
/** Of the program that this script came with. */
let version: string | undefined;
let stop: (() => void) | undefined;

function show({ snapshot, receivedAt, staleSince }: LiveState): void {
  if (root === null) return;
  version ??= snapshot.fleet.version;
  if (snapshot.fleet.version !== version) {
    // What another version tells this script may not understand; its own page does. Nothing more is heard meanwhile: each word would begin the loading anew, which would never end where it
    // takes longer than until the next.
    stop?.();
    location.reload();
    return;
  }
  if (!drawn) {
    performance.mark('draw-start');
    // Drawing anew is quicker than telling what differs from the HTML, and nothing is painted in between.
    root.replaceChildren();
  }
  render(
    <FormatContext.Provider value={format}>
      <App snapshot={snapshot} live={{ receivedAt, staleSince }} />
    </FormatContext.Provider>,
    root,
  );
  if (!drawn) performance.measure('draw', 'draw-start');
  drawn = true;
}

/** The page as it was served is all there is, and it grows old. */
function missing(since: number): void {
  const place = document.querySelector('.top-end');
  if (drawn || place === null) return;
  const mark = document.createElement('p');
  mark.className = 'live lost';
  mark.setAttribute('role', 'status');
  mark.textContent = staleInWords(since, format);
  place.replaceChildren(mark);
}

/** Who may no longer read gets the form for a token, which stands in the page's place. */
function refused(): void {
  void isShutOut().then((shutOut) => {
    if (shutOut) location.reload();
  });
}

// The page as it was served is painted first; a tab that is not seen does not even begin.
requestAnimationFrame(() =>
  setTimeout(() => {
    stop = startLive({ url: eventsUrl, show, missing, refused });
  }, 0),
);
