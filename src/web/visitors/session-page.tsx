/** @jsxRuntime automatic @jsxImportSource preact */
/**
 * The page at `/session` and `/view`: it asks for a session, shows the place in line, and then the simulation. The scripts
 * show, hide and fill what is here.
 */
import type { Texts } from '../../core/languages/texts.ts';
import { throughSession } from '../../core/views/through-session.ts';
import { prospectOf, type VisitorView } from '../../core/views/visitor-view.ts';
import type { Direction } from '../viewer/driving.ts';
import { Document, type Visit } from './document.tsx';
import { prospectText } from './fleet-texts.ts';

export interface SessionPageProps extends Visit {
  /** It asks for a session at once. */
  readonly starts: boolean;
  /** What to run, as it may be shown. */
  readonly project: string | undefined;
  readonly fleet: VisitorView;
}

export function SessionPage({ starts, project, fleet, ...visit }: SessionPageProps) {
  const { texts, files, site } = visit;
  const prospect = prospectText(texts, prospectOf(fleet));
  const data = {
    'data-starts': String(starts),
    'data-viewer': files.viewer.script,
    'data-sessions': throughSession('api/v1/sessions'),
  };
  return (
    <Document page="session" title={`${texts.title} – ${site}`} data={data} {...visit}>
      <section class="card now" id="now" data-phase="idle">
        <h1>{texts.title}</h1>
        <p id="rank" aria-hidden="true"></p>
        <p id="status" role="status">
          {starts ? prospect : texts.welcome}
        </p>
        <p id="detail" role="status">
          {starts ? '' : prospect}
        </p>
        <p id="reason" class="note" lang="en" hidden></p>
        <noscript>
          <p class="note">{texts.noScript}</p>
        </noscript>
        {project !== undefined && (
          <p class="note project">
            {texts.project} <code>{project}</code>
          </p>
        )}
        <p class="actions">
          <button type="button" id="start" class="primary" hidden={starts}>
            {texts.start}
          </button>
          <button type="button" id="cancel" hidden>
            {texts.stopWaiting}
          </button>
        </p>
      </section>
      <Stage texts={texts} />
    </Document>
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
        <div role="group" aria-label={texts.drive} class="pad" dir="ltr">
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
