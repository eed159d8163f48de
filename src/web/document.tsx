/** @jsxRuntime automatic @jsxImportSource preact */
/** Around the page: the head of the HTML document, and the page that asks for a token. */
import type { ComponentChildren } from 'preact';
import { throughMonitor } from '../core/views/through-monitor.ts';
import { pageIcon } from './page-icon.ts';

interface DocumentProps {
  readonly title: string;
  readonly styles: string;
  /** Absent: a page without scripts. */
  readonly script?: string;
  readonly children: ComponentChildren;
}

/** Seconds after which a browser without scripts loads the page again. */
const RELOAD = 30;

export function Document({ title, styles, script, children }: DocumentProps) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>{title}</title>
        <link rel="icon" href={pageIcon('working')} />
        <link rel="stylesheet" href={styles} />
        {script !== undefined && <script type="module" src={script}></script>}
        {script !== undefined && (
          <noscript>
            <meta http-equiv="refresh" content={String(RELOAD)} />
          </noscript>
        )}
      </head>
      <body>{children}</body>
    </html>
  );
}

interface SignInPageProps {
  readonly title: string;
  /** Why the last token was refused, as a code; absent: none was. */
  readonly refused?: string | undefined;
  /** Tokens are configured. */
  readonly tokens: boolean;
  /** URL of the page on which operators sign in; absent: this one. */
  readonly signInAt?: string | undefined;
}

const WRONG_TOKEN = 'This token is not in "admin.tokens".';
const TOO_MANY_TRIES = `${WRONG_TOKEN} Too many wrong tokens came from your address. The right one is accepted at any time.`;

const OF_TEACHER = 'This token is for classes only. Use it on the page "classes".';
const WHY_REFUSED: Readonly<Record<string, string>> = { 'too-many-tries': TOO_MANY_TRIES, 'token-teacher': OF_TEACHER };

export function SignInPage({ title, refused, tokens, signInAt }: SignInPageProps) {
  return (
    <main class="entrance">
      <h1 class="text" dir="auto">
        {title}
      </h1>
      <section class="card">
        {signInAt !== undefined ? (
          <p>
            To read this monitor, sign in at <a href={signInAt}>{signInAt}</a>.
          </p>
        ) : tokens ? (
          <form method="post" action={throughMonitor('monitor/enter')}>
            <label for="token">Sign in with a token to read this monitor</label>
            <div class="field">
              <input id="token" name="token" type="password" autocomplete="off" required />
              <button type="submit">Sign in</button>
            </div>
            {refused !== undefined && <p role="alert">{WHY_REFUSED[refused] ?? WRONG_TOKEN}</p>}
          </form>
        ) : (
          <p>
            This monitor can only be read with a token, and no tokens are configured. Run <code>session-server token NAME</code>{' '}
            on the machine of the session server, and add the line with <code>"admin"</code> that it prints to the configuration.
            Or set <code>monitor.access</code> to <code>"open"</code>.
          </p>
        )}
      </section>
    </main>
  );
}
