/** The pages for visitors as they are served. No markup here: see `../render.ts`. */
import { h } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { textsFor, type AddedLanguages } from '../../core/languages/languages.ts';
import { DemoPage, type DemoPageProps } from './demo-page.tsx';
import { LandingPage, type LandingPageProps } from './landing-page.tsx';
import { SessionPage, type SessionPageProps } from './session-page.tsx';

/** Which languages there are, and what the header `Accept-Language` asks for. */
export interface Languages {
  readonly accepted: string | undefined;
  readonly added: AddedLanguages;
}

export function renderLandingPage({ accepted, added }: Languages, props: Omit<LandingPageProps, 'texts'>): string {
  return html(renderToString(h(LandingPage, { ...props, texts: textsFor(accepted, added) })));
}

export function renderSessionPage({ accepted, added }: Languages, props: Omit<SessionPageProps, 'texts'>): string {
  return html(renderToString(h(SessionPage, { ...props, texts: textsFor(accepted, added) })));
}

export function renderDemoPage({ accepted, added }: Languages, props: Omit<DemoPageProps, 'texts'>): string {
  return html(renderToString(h(DemoPage, { ...props, texts: textsFor(accepted, added) })));
}

function html(page: string): string {
  return `<!DOCTYPE html>\n${page}`;
}
