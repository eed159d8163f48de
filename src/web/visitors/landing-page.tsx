/** @jsxRuntime automatic @jsxImportSource preact */
/** The page at `/`: can I start now, what runs here, and what to do if I cannot. It says all of it without a script, too. */
import type { Texts } from '../../core/languages/texts.ts';
import { prospectOf, type VisitorView } from '../../core/views/visitor-view.ts';
import { Document, type Visit } from './document.tsx';
import { fleetNumbers, prospectAction, prospectText, startText } from './fleet-texts.ts';

export interface LandingPageProps extends Visit {
  readonly fleet: VisitorView;
}

export function LandingPage({ fleet, ...visit }: LandingPageProps) {
  const { texts, site } = visit;
  const prospect = prospectOf(fleet);
  return (
    <Document page="landing" title={site} {...visit}>
      <section class="card now" data-prospect={prospect}>
        <h1>{texts.title}</h1>
        <div role="status" class="state">
          <p id="prospect">{prospectText(texts, prospect)}</p>
          <p id="action">{prospectAction(texts, prospect)}</p>
        </div>
        <StartForm texts={texts} text={startText(texts, prospect)} hidden={prospect === 'empty'} />
        <noscript>
          <p class="note">{texts.noScript}</p>
        </noscript>
      </section>
      <section class="card" aria-labelledby="runs">
        <h2 id="runs">{texts.runs}</h2>
        <dl class="numbers">
          {fleetNumbers(texts, fleet).map(({ name, label, value, text, quiet }) => (
            <div key={name} hidden={quiet && value === 0}>
              <dt>{label}</dt>
              <dd data-number={name}>{text}</dd>
            </div>
          ))}
        </dl>
      </section>
      {visit.demo && (
        <section class="card" aria-labelledby="demo">
          <h2 id="demo">
            <a href="demo">{texts.demo}</a>
          </h2>
          <p>{texts.demoWelcome}</p>
        </section>
      )}
    </Document>
  );
}

/** Works without a script: it opens the page that asks for a session. */
function StartForm({ texts, text, hidden }: { readonly texts: Texts; readonly text: string; readonly hidden: boolean }) {
  return (
    <form action="session" id="start-form" hidden={hidden}>
      <button class="primary" id="start">
        {text}
      </button>
      <details>
        <summary>{texts.ownProject}</summary>
        <label>
          {texts.projectAddress}
          <input name="url" type="url" maxLength={1000} autocomplete="off" spellcheck={false} aria-describedby="project-help" />
        </label>
        <p class="note" id="project-help">
          {texts.projectHelp}
        </p>
      </details>
    </form>
  );
}
