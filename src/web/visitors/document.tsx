/** @jsxRuntime automatic @jsxImportSource preact */
/** What the pages for visitors have in common. The texts are in the page, for its script. */
import type { ComponentChildren } from 'preact';
import { directionOf } from '../../core/languages/languages.ts';
import type { Texts } from '../../core/languages/texts.ts';
import { throughSession } from '../../core/views/through-session.ts';

/** URLs of the files, relative to the page. */
export interface VisitorFiles {
  readonly script: string;
  readonly styles: string;
  /** Loaded only when a session starts. */
  readonly viewer: { readonly script: string; readonly styles: string };
}

export interface Visit {
  readonly texts: Texts;
  readonly files: VisitorFiles;
  /** Name of the site, which the operator chose. */
  readonly site: string;
  /** The visitor may see the monitor. */
  readonly monitor: boolean;
  /** There are tokens, so that teachers can sign in. */
  readonly classes: boolean;
  /** This is the demo, which has a page of its own. */
  readonly demo: boolean;
}

interface DocumentProps extends Visit {
  readonly page: 'landing' | 'session' | 'demo';
  readonly title: string;
  /** For the script. */
  readonly data?: Readonly<Record<`data-${string}`, string>>;
  readonly children: ComponentChildren;
}

export function Document({ texts, files, site, monitor, classes, demo, page, title, data, children }: DocumentProps) {
  return (
    <html lang={texts.language} dir={directionOf(texts.language)}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>{title}</title>
        <link rel="icon" href={ICON} />
        <link rel="stylesheet" href={files.styles} />
        {page === 'session' && <link rel="stylesheet" href={files.viewer.styles} />}
        <script type="module" src={files.script}></script>
      </head>
      <body>
        <header>
          {page === 'landing' ? <span class="site">{site}</span> : <a href="./">{texts.home}</a>}
          <nav>
            {demo && page === 'session' && <a href="demo">{texts.demo}</a>}
            {classes && page !== 'session' && <a href="classes">{texts.classes}</a>}
            {monitor && <a href="monitor">{texts.monitor}</a>}
          </nav>
        </header>
        <main data-page={page} data-fleet={throughSession('view/fleet')} {...data}>
          {children}
        </main>
        <script type="application/json" id="texts" dangerouslySetInnerHTML={{ __html: asJson(texts) }}></script>
      </body>
    </html>
  );
}

/** A data block: nothing in it ends the element. */
function asJson(texts: Texts): string {
  return JSON.stringify(texts).replaceAll('<', '\\u003c');
}

const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#0b6bcb"/><path d="M5.5 4l6 4-6 4z" fill="#fff"/></svg>',
)}`;
