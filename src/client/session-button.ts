/**
 * `<session-button server project code viewer>`, also served as `/client/v1-button.js`: asks for a session, and says in words what happens. It opens nothing by
 * itself. When a server is allocated, it shows a link to the viewer, unless the page takes the event `session-allocated` and prevents the default.
 */
import { hasPlace, requestSession, SessionError, type SessionEvent, type SessionOptions } from './index.ts';

export type SessionButtonTexts = typeof ENGLISH;

const ENGLISH = {
  start: 'Start the simulation',
  leave: 'Leave the queue',
  open: 'Open the simulation',
  asking: 'Asking for a place…',
  waiting: 'You are number {position} in the queue.',
  next: 'You are next.',
  noLine: 'No place is free. This page keeps asking.',
  soon: 'Less than a minute to wait.',
  estimate: 'About {minutes} minutes to wait.',
  reconnecting: 'The connection was lost. Your place is kept while this page tries again.',
  ready: 'Your simulation is ready.',
  left: 'You have left the queue.',
};

const STYLES = new CSSStyleSheet();
STYLES.replaceSync(':host{display:inline-block}button,a{font:inherit;padding:.5em 1em}p{margin:.5em 0}[hidden]{display:none}');

export class SessionButton extends HTMLElement {
  readonly #button = document.createElement('button');
  readonly #link = document.createElement('a');
  readonly #status = document.createElement('p');
  #texts: SessionButtonTexts = ENGLISH;
  #request: AbortController | undefined;

  constructor() {
    super();
    this.#button.type = 'button';
    // Not the property: Firefox has it since version 119.
    this.#status.setAttribute('role', 'status');
    for (const [part, element] of Object.entries({ button: this.#button, link: this.#link, status: this.#status }))
      element.part = part;
    this.#button.onclick = () => (this.#request === undefined ? void this.start() : this.leave());
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [STYLES];
    root.append(this.#button, this.#link, this.#status);
  }

  /** Words in another language, all or some. */
  set texts(texts: Partial<SessionButtonTexts>) {
    this.#texts = { ...ENGLISH, ...texts };
    if (this.isConnected && this.#request === undefined) this.connectedCallback();
  }

  connectedCallback(): void {
    this.#link.hidden = true;
    this.#link.textContent = this.#texts.open;
    this.#show('start', '');
    // The page was loaded again while its user waited.
    if (hasPlace(this.#options())) void this.start();
  }

  disconnectedCallback(): void {
    this.#request?.abort();
  }

  /** As a click does. Resolves when the request has its outcome. */
  async start(): Promise<void> {
    const request = new AbortController();
    this.#request = request;
    this.#show('leave', this.#texts.asking);
    try {
      for await (const event of requestSession({ ...this.#options(), signal: request.signal })) this.#take(event);
    } catch (error) {
      if (request.signal.aborted) return;
      this.#request = undefined;
      this.#show('start', error instanceof SessionError ? error.message : String(error));
      this.#emit('session-error', error);
    }
  }

  /** Gives the place in line up. */
  leave(): void {
    this.#request?.abort();
    this.#request = undefined;
    this.#show('start', this.#texts.left);
  }

  #options(): SessionOptions {
    const of = (name: string) => this.getAttribute(name) ?? undefined;
    const [server = new URL('..', import.meta.url), project, code] = [of('server'), of('project'), of('code')];
    return {
      server,
      ...(project !== undefined && { project }),
      ...(code !== undefined && { code }),
      ...(this.hasAttribute('resume') && { resume: sessionStorage }),
    };
  }

  #take(event: SessionEvent): void {
    const texts = this.#texts;
    if (event.type === 'reconnecting') this.#show('leave', texts.reconnecting);
    else if (event.type === 'waiting') {
      this.#show('leave', waitingText(event, texts));
      this.#emit('session-waiting', event);
    } else {
      this.#request = undefined;
      this.#show('start', texts.ready);
      const viewer = this.getAttribute('viewer');
      if (!this.#emit('session-allocated', event) || viewer === null) return;
      this.#link.href = viewer + encodeURIComponent(event.url);
      this.#link.hidden = false;
      if (this.shadowRoot?.activeElement === this.#button) this.#link.focus();
    }
  }

  #show(label: 'start' | 'leave', status: string): void {
    if (label === 'leave') this.#link.hidden = true;
    this.#button.textContent = (label === 'start' && this.textContent.trim()) || this.#texts[label];
    // A screen reader says what changes.
    if (this.#status.textContent !== status) this.#status.textContent = status;
  }

  /** `false`: the page prevented the default. */
  #emit(name: string, detail: unknown): boolean {
    return this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true, cancelable: true }));
  }
}

function waitingText({ position, estimate }: Extract<SessionEvent, { type: 'waiting' }>, texts: SessionButtonTexts): string {
  if (position === undefined) return texts.noLine;
  const place = position === 1 ? texts.next : texts.waiting.replace('{position}', String(position));
  if (estimate === undefined) return place;
  const minutes = Math.round(estimate.to / 60);
  return `${place} ${minutes < 1 ? texts.soon : texts.estimate.replace('{minutes}', String(minutes))}`;
}

customElements.define('session-button', SessionButton);
