/** @jsxRuntime automatic @jsxImportSource preact */
/** The pages for classes as they are served. The script fills in what changes with time. */
import type { ComponentChildren } from 'preact';
import type { ClassView } from '../../core/views/class-view.ts';
import { classFacts } from './class-facts.ts';
import type { ClassTexts } from '../../core/languages/classes/texts.ts';
import { directionOf } from '../../core/languages/languages.ts';
import { fill } from '../../core/languages/texts.ts';

export type ClassPageContent =
  | { readonly kind: 'teacher' }
  | { readonly kind: 'class'; readonly view: ClassView }
  | { readonly kind: 'unknown-code' | 'too-many-codes' };

export interface ClassPageProps {
  readonly texts: ClassTexts;
  readonly script: string;
  readonly styles: string;
  readonly content: ClassPageContent;
}

export function ClassPage({ texts, script, styles, content }: ClassPageProps) {
  return (
    <html lang={texts.language} dir={directionOf(texts.language)}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>{content.kind === 'class' ? nameOf(content.view, texts) : texts.title}</title>
        <link rel="icon" href={ICON} />
        <link rel="stylesheet" href={styles} />
        <script type="module" src={script}></script>
        {content.kind === 'class' && (
          <noscript>
            <meta http-equiv="refresh" content="30" />
          </noscript>
        )}
      </head>
      <body>
        {content.kind === 'teacher' && (
          <header>
            <a href="./">{texts.home}</a>
          </header>
        )}
        <main id={content.kind === 'teacher' ? 'teacher' : 'class'}>{contentOf(content, texts)}</main>
        <Data id="texts" value={texts} />
        {content.kind === 'class' && <Data id="view" value={content.view} />}
      </body>
    </html>
  );
}

function contentOf(content: ClassPageContent, texts: ClassTexts): ComponentChildren {
  switch (content.kind) {
    case 'teacher':
      return (
        <>
          <h1>{texts.title}</h1>
          <noscript>
            <p>{texts.noScript}</p>
          </noscript>
        </>
      );
    case 'class':
      return <ClassContent view={content.view} texts={texts} />;
    case 'unknown-code':
    case 'too-many-codes':
      return (
        <>
          <h1>{texts.title}</h1>
          <p role="status">{content.kind === 'unknown-code' ? texts.unknownClass : texts.tooManyCodes}</p>
        </>
      );
  }
}

/** Without a script, times are those of UTC. */
function ClassContent({ view, texts }: { readonly view: ClassView; readonly texts: ClassTexts }) {
  const { isOpen, status } = classFacts(view, texts, { timeZone: 'UTC', now: undefined });
  const query = view.project === null ? '' : `?${new URLSearchParams({ url: view.project }).toString()}`;
  return (
    <>
      <h1 class="text">{nameOf(view, texts)}</h1>
      <p class="code">{view.code}</p>
      <p id="when">
        <time datetime={view.start}>{view.start.replace('T', ' ').replace('Z', ' UTC')}</time>
      </p>
      <p id="status" role="status">
        {status}
      </p>
      <p id="start" hidden={!isOpen}>
        <a class="primary" href={`session${query}`}>
          {texts.start}
        </a>
      </p>
      {view.project !== null && (
        <p class="text muted">
          {texts.project}: {view.project}
        </p>
      )}
      <section id="projector" hidden>
        <div id="qr" role="img" aria-label={texts.scan}></div>
        <p id="scan">
          {texts.scan}: <span id="address" class="text"></span>
        </p>
        <p class="muted">
          {texts.address}: <code id="session" class="text"></code>
        </p>
      </section>
    </>
  );
}

function nameOf({ title, code }: ClassView, texts: ClassTexts): string {
  return title === '' ? fill(texts.classWithCode, { code }) : title;
}

/** A data block: nothing in it ends the element. */
function Data({ id, value }: { readonly id: string; readonly value: unknown }) {
  const html = JSON.stringify(value).replaceAll('<', '\\u003c');
  return <script type="application/json" id={id} dangerouslySetInnerHTML={{ __html: html }}></script>;
}

const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#0b6bcb"/><path d="M5.5 4l6 4-6 4z" fill="#fff"/></svg>',
)}`;
