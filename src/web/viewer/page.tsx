/** @jsxRuntime automatic @jsxImportSource preact */
/** The viewer as it is served. The script shows, hides and fills what is here; its texts are in the page. */
import type { Texts } from './texts/texts.ts';
import type { Direction } from './driving.ts';

export interface ViewerPageProps {
  readonly texts: Texts;
  readonly script: string;
  readonly styles: string;
  /** It asks for a session at once. */
  readonly starts: boolean;
}

export function ViewerPage({ texts, script, styles, starts }: ViewerPageProps) {
  return (
    <html lang={texts.language}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>{texts.title}</title>
        <link rel="icon" href={ICON} />
        <link rel="stylesheet" href={styles} />
        <script type="module" src={script}></script>
      </head>
      <body>
        <main data-starts={starts}>
          <h1>{texts.title}</h1>
          <p id="status" role="status">
            {texts.welcome}
          </p>
          <noscript>
            <p class="note">{texts.noScript}</p>
          </noscript>
          <p id="start-area">
            <button type="button" id="start" class="primary">
              {texts.start}
            </button>
          </p>
          <p id="availability" role="status"></p>
          <Stage texts={texts} />
        </main>
        <footer>
          <a href="monitor">{texts.monitor}</a>
        </footer>
        <script type="application/json" id="texts" dangerouslySetInnerHTML={{ __html: asJson(texts) }}></script>
      </body>
    </html>
  );
}

function Stage({ texts }: { readonly texts: Texts }) {
  return (
    <div id="stage" hidden>
      <div class="picture">
        <canvas id="picture" role="img" aria-label={texts.picture}></canvas>
        <p id="figures"></p>
      </div>
      <div role="group" aria-label={texts.controls} class="controls">
        <button type="button" id="play">
          {texts.play}
        </button>
        <button type="button" id="step">
          {texts.step}
        </button>
        <button type="button" id="reset">
          {texts.reset}
        </button>
        <button type="button" id="follow" aria-pressed="false">
          {texts.follow}
        </button>
        <button type="button" id="leave">
          {texts.leave}
        </button>
      </div>
      <p id="note" class="note" hidden></p>
      <div id="driving" hidden>
        <div role="group" aria-label={texts.drive} class="pad">
          {PAD.map(({ direction, sign }) => (
            <button type="button" key={direction} class={direction} data-direction={direction} aria-label={texts[direction]}>
              {sign}
            </button>
          ))}
        </div>
        <p>{texts.keys}</p>
      </div>
      <p id="place"></p>
    </div>
  );
}

const PAD: readonly { readonly direction: Direction; readonly sign: string }[] = [
  { direction: 'forward', sign: '▲' },
  { direction: 'left', sign: '◀' },
  { direction: 'back', sign: '▼' },
  { direction: 'right', sign: '▶' },
  { direction: 'armUp', sign: '⤒' },
  { direction: 'armDown', sign: '⤓' },
  { direction: 'armOut', sign: '↟' },
  { direction: 'armIn', sign: '↡' },
];

/** A data block: nothing in it ends the element. */
function asJson(texts: Texts): string {
  return JSON.stringify(texts).replaceAll('<', '\\u003c');
}

const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#0b6bcb"/><path d="M5.5 4l6 4-6 4z" fill="#fff"/></svg>',
)}`;
