/** @jsxRuntime automatic @jsxImportSource preact */
/** The page as it is served, before any script has run. Whatever came from outside is escaped by the renderer. */
import type { VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';
import type { MonitorSnapshot } from '../core/monitor-view.ts';
import { App } from './app.tsx';
import { createFormat } from './format.ts';
import { FormatContext } from './format-context.ts';

export interface RenderOptions {
  /** Addresses of the page's files, relative to the page. */
  readonly script: string;
  readonly styles: string;
  /** Absent: the zone of this machine. */
  readonly timeZone?: string;
}

export function renderMonitorPage(snapshot: MonitorSnapshot, options: RenderOptions): string {
  const format = createFormat({
    locale: 'en-US',
    hourCycle: 'h23',
    ...(options.timeZone !== undefined && { timeZone: options.timeZone }),
  });
  return document(
    snapshot.fleet.title,
    options,
    <div id="monitor">
      <FormatContext.Provider value={format}>
        <App snapshot={snapshot} />
      </FormatContext.Provider>
    </div>,
  );
}

/** For who may not read. `refused`: the token entered before was not right. */
export function renderEntrancePage(
  title: string,
  { styles }: Pick<RenderOptions, 'styles'>,
  refused: boolean,
  tokens: boolean,
): string {
  return document(
    title,
    { styles },
    <main class="entrance">
      <h1 class="text" dir="auto">
        {title}
      </h1>
      <section class="card">
        {tokens ? (
          <form method="post" action="monitor/enter">
            <label for="token">Reading this monitor needs a token</label>
            <div class="field">
              <input id="token" name="token" type="password" autocomplete="off" required />
              <button type="submit">Enter</button>
            </div>
            {refused && (
              <p role="alert">
                This token is not one of those in "admin.tokens", or there were too many wrong ones from your address.
              </p>
            )}
          </form>
        ) : (
          <p>
            Reading is closed and no tokens are configured. Run <code>session-server token NAME</code> where the session server
            runs and put the line it prints into <code>"admin"</code> of the configuration, or set <code>monitor.access</code> to{' '}
            <code>"open"</code>.
          </p>
        )}
      </section>
    </main>,
  );
}

/** Seconds after which a browser without scripts loads the page again. */
const RELOAD = 30;

function document(title: string, { script, styles }: { readonly script?: string; readonly styles: string }, body: VNode): string {
  const html = renderToString(
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>{title}</title>
        <link rel="icon" href={ICON} />
        <link rel="stylesheet" href={styles} />
        {script !== undefined && <script type="module" src={script}></script>}
        {script !== undefined && (
          <noscript>
            <meta http-equiv="refresh" content={String(RELOAD)} />
          </noscript>
        )}
      </head>
      <body>{body}</body>
    </html>,
  );
  return `<!DOCTYPE html>\n${html}`;
}

/** Three bars of load. */
const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#0b6bcb"/><path d="M3.5 12.5v-4h2v4zm3.5 0v-9h2v9zm3.5 0v-6h2v6z" fill="#fff"/></svg>',
)}`;
