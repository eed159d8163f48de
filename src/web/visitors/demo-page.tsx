/** @jsxRuntime automatic @jsxImportSource preact */
/** The page of the demo. What has the attribute `data-live` is replaced by its script; all buttons work without one. */
import { fill, numberText, type Texts } from '../../core/languages/texts.ts';
import type { DemoAction, DemoClass, DemoMachine, DemoMail, DemoTokens, DemoView } from '../../core/views/demo-view.ts';
import { Document, type Visit } from './document.tsx';

export interface DemoPageProps extends Visit {
  readonly state: DemoView;
}

export function DemoPage({ state, ...visit }: DemoPageProps) {
  const { texts, site } = visit;
  return (
    <Document page="demo" title={`${texts.demo} – ${site}`} {...visit}>
      <h1>{texts.demo}</h1>
      <p class="wide">{texts.demoWelcome}</p>
      <ClassCard texts={texts} state={state.class} />
      <MachinesCard texts={texts} machines={state.machines} />
      <MailCard texts={texts} mail={state.mail} />
      <PeopleCard texts={texts} tokens={state.tokens} />
      <DevelopersCard texts={texts} address={state.address} />
    </Document>
  );
}

function ClassCard({ texts, state }: { readonly texts: Texts; readonly state: DemoClass }) {
  const count = { count: String(state.size) };
  const answer = state.lastAnswer;
  return (
    <section class="card" aria-labelledby="class">
      <h2 id="class">{texts.demoClass}</h2>
      <p>{fill(texts.demoClassText, count)}</p>
      <div data-live="class">
        <Action
          kind={state.present ? 'send-home' : 'send-class'}
          id="class-button"
          text={state.present ? texts.demoSendHome : fill(texts.demoSendClass, count)}
        />
        <dl class="numbers">
          <Number label={texts.inLine} value={state.waiting} />
          <Number label={texts.demoSimulating} value={state.simulating} />
          <Number label={texts.demoDone} value={state.done} />
          {state.restarted > 0 && <Number label={texts.demoRestarted} value={state.restarted} />}
        </dl>
        {answer !== undefined && (
          <p class="note">{fill(texts.demoAnswer, { milliseconds: numberText(texts, answer, answer < 10 ? 1 : 0) })}</p>
        )}
      </div>
    </section>
  );
}

function MachinesCard({ texts, machines }: { readonly texts: Texts; readonly machines: readonly DemoMachine[] }) {
  return (
    <section class="card" aria-labelledby="machines">
      <h2 id="machines">{texts.demoMachines}</h2>
      <p>{texts.demoMachinesText}</p>
      <ul class="machines" data-live="machines">
        {machines.map(({ name, state }) => (
          <li key={name}>
            <span>{fill(state === 'stopped' ? texts.demoStopped : texts.demoRuns, { name })}</span>
            <Action
              kind={state === 'stopped' ? 'start-machine' : 'stop-machine'}
              id={`machine-${name}`}
              machine={name}
              text={state === 'stopped' ? texts.demoStartMachine : texts.demoStop}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}

function MailCard({ texts, mail }: { readonly texts: Texts; readonly mail: DemoMail }) {
  return (
    <section class="card" aria-labelledby="mail">
      <h2 id="mail">{texts.demoMail}</h2>
      <p>{fill(texts.demoMailText, { seconds: String(mail.delay) })}</p>
      <div data-live="mail">
        <p>{mail.slow ? texts.demoIsSlow : texts.demoIsFast}</p>
        <Action
          kind={mail.slow ? 'fast-mail' : 'slow-mail'}
          id="mail-button"
          text={mail.slow ? texts.demoFast : texts.demoSlow}
        />
        <h3>{texts.demoMails}</h3>
        {mail.received.length === 0 ? (
          <p class="note">{texts.demoNoMails}</p>
        ) : (
          <ol class="mails" lang="en">
            {mail.received.map((subject, index) => (
              <li key={mail.received.length - index}>{subject}</li>
            ))}
          </ol>
        )}
      </div>
    </section>
  );
}

function PeopleCard({ texts, tokens }: { readonly texts: Texts; readonly tokens: DemoTokens }) {
  return (
    <section class="card broad" aria-labelledby="people">
      <h2 id="people">{texts.demoPeople}</h2>
      <p>{texts.demoPeopleText}</p>
      <dl class="tokens">
        <dt>
          <a href="monitor" target="_blank">
            {texts.monitor}
          </a>
          : {texts.demoOperator}
        </dt>
        <dd>
          <code>{tokens.operator}</code>
        </dd>
        <dt>
          <a href="classes" target="_blank">
            {texts.classes}
          </a>
          : {texts.demoTeacher}
        </dt>
        <dd>
          <code>{tokens.teacher}</code>
        </dd>
      </dl>
    </section>
  );
}

function DevelopersCard({ texts, address }: { readonly texts: Texts; readonly address: string }) {
  const code = [
    `<a href="${address}/session">Robot</a>`,
    `<script type="module" src="${address}/client/v1-button.js"></script>`,
    '<session-button></session-button>',
    "<script>addEventListener('session-allocated', ({ detail }) => console.log(detail.url))</script>",
  ];
  return (
    <section class="card broad" aria-labelledby="developers">
      <h2 id="developers">{texts.demoOwnPage}</h2>
      <p>{texts.demoOwnPageText}</p>
      <pre tabindex={0}>
        <code>{code.join('\n')}</code>
      </pre>
      <p>
        <a href="api">{texts.demoReference}</a>
      </p>
    </section>
  );
}

interface ActionProps {
  readonly kind: DemoAction['kind'];
  /** The focus returns to it after a change. */
  readonly id: string;
  readonly text: string;
  readonly machine?: string;
}

function Action({ kind, id, text, machine }: ActionProps) {
  return (
    <form method="post" action="demo">
      {machine !== undefined && <input type="hidden" name="machine" value={machine} />}
      <button name="action" value={kind} id={id} aria-label={machine === undefined ? undefined : `${text}: ${machine}`}>
        {text}
      </button>
    </form>
  );
}

function Number({ label, value }: { readonly label: string; readonly value: number }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}
