/**
 * The page as it is served, before any script has run. The renderer escapes all text from outside.
 *
 * This file contains no markup: the server's TypeScript project imports it and does not support JSX.
 */
import { h, type ComponentProps } from 'preact';
import { renderToString } from 'preact-render-to-string';
import type { MonitorSnapshot } from '../core/views/monitor-view.ts';
import { App } from './app.tsx';
import { Board } from './board.tsx';
import { Document, SignInPage } from './document.tsx';
import { createFormat, ENGLISH } from './format.ts';
import { FormatContext } from './format-context.ts';
import { pageTitle } from './page-title.ts';

export interface RenderOptions {
  /** Addresses of the page's files, relative to the page. */
  readonly script: string;
  readonly styles: string;
  /** The page for a screen on a wall. */
  readonly board?: boolean;
  /** Absent: the zone of this machine. */
  readonly timeZone?: string;
}

export function renderMonitorPage(snapshot: MonitorSnapshot, options: RenderOptions): string {
  const { script, styles, timeZone, board = false } = options;
  const format = createFormat({ ...ENGLISH, ...(timeZone !== undefined && { timeZone }) });
  const page = h(FormatContext.Provider, { value: format, children: h(board ? Board : App, { snapshot }) });
  return html({ title: pageTitle(snapshot.fleet), script, styles, children: h('div', { id: 'monitor' }, page) });
}

/** Asks for a token to read, or says where to sign in. */
export function renderSignInPage(
  title: string,
  { styles }: Pick<RenderOptions, 'styles'>,
  visitor: Omit<ComponentProps<typeof SignInPage>, 'title'>,
): string {
  return html({ title, styles, children: h(SignInPage, { title, ...visitor }) });
}

function html(props: ComponentProps<typeof Document>): string {
  return `<!DOCTYPE html>\n${renderToString(h(Document, props))}`;
}
