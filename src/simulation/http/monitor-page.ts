/** `/monitor`: one page without anything from elsewhere, with the headings that people and programs know from the original. */
import { createHash } from 'node:crypto';
import type { Measurement } from '../../agent/sampler.ts';
import { percentOf, type Space } from '../../agent/memory.ts';
import type { IsolationFacts } from '../ports.ts';

export interface MonitorFacts {
  readonly title: string;
  readonly description?: string;
  /** Percent; `undefined` while it is not known. */
  readonly load: number | undefined;
  readonly host: string;
  readonly system: string;
  readonly processor: string;
  readonly measurement: Measurement | undefined;
  readonly allowedRepositories?: readonly string[];
  readonly blockedRepositories?: readonly string[];
  /** Percent. */
  readonly shareIdleTime: number;
  readonly notify: readonly string[];
  readonly isolation: IsolationFacts;
  readonly simulator: string;
  readonly workspaces: string;
  readonly sessions: { readonly starting: number; readonly running: number; readonly idle: number };
  readonly draining: boolean;
  /** What does not work on this machine, for the operator. */
  readonly warnings: readonly string[];
}

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 50rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { padding: .35rem .5rem; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); text-align: left; }
.warning { border-left: .3rem solid #c60; padding-left: .7rem; }
`;

const SCRIPT = `
setInterval(async () => {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(4000) });
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    document.querySelector('main').replaceWith(page.querySelector('main'));
  } catch {
    document.querySelector('#fresh').textContent = 'No answer: these figures are old.';
  }
}, 2000);
`;

/** Only this style and this script, whatever the page says. */
export const MONITOR_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${sha256(STYLE)}'`,
  `script-src 'sha256-${sha256(SCRIPT)}'`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ');

export function monitorPage(facts: MonitorFacts): string {
  const { title, description, load, host, system, processor, measurement } = facts;
  const gpu = measurement?.gpu;
  const lines = [
    `<h1>${escapeHtml(title)}</h1>`,
    ...(description === undefined ? [] : [`<p>${escapeHtml(description)}</p>`]),
    `<h2>Current load: ${percent(load)}</h2>`,
    `<p id="fresh"></p>`,
    ...facts.warnings.map((warning) => `<p class="warning">${escapeHtml(warning)}</p>`),
    `<p><b>Host:</b> ${escapeHtml(system)} (${escapeHtml(host)})</p>`,
    `<p><b>CPU load:</b> ${percent(measurement?.cpu)}<br>${escapeHtml(processor)}</p>`,
    `<p><b>GPU load compute:</b> ${percent(gpu?.gpu)} &mdash; <b>RAM usage:</b> ${percent(gpu?.gpuMemory)}<br>${gpu === undefined ? 'Not recognized' : ''}</p>`,
    `<p><b>RAM:</b> ${space(measurement?.memory)} &mdash; <b>swap:</b> ${space(measurement?.swap)}</p>`,
    sessionsTable(facts),
    repositories('Allowed Repositories', facts.allowedRepositories),
    repositories('Blocked Repositories', facts.blockedRepositories),
    idleTime(facts),
  ];
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
${lines.filter((line) => line !== '').join('\n')}
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

const STRENGTH_WORDS = {
  container: 'containers',
  namespace: 'namespaces of their own',
  process: 'processes of this machine',
} as const;

function sessionsTable({ sessions, isolation, simulator, workspaces, draining }: MonitorFacts): string {
  const rows: readonly (readonly [string, string])[] = [
    ['Simulations running', String(sessions.running)],
    ['Simulations paused', String(sessions.idle)],
    ['Simulations starting', String(sessions.starting)],
    ['New simulations', draining ? 'refused: this server is being drained' : 'accepted'],
    ['Simulator', simulator],
    ['Isolation', `${isolation.name}: simulations are ${STRENGTH_WORDS[isolation.strength]}`],
    ['Limits of each simulation', isolation.limits],
    ['Network of simulations', isolation.network],
    ['Files of simulations', workspaces === 'overlay' ? 'a layer above shared files' : 'a copy for each'],
    ...isolation.notes.map((note): readonly [string, string] => ['Note', note]),
  ];
  return `<table><tbody>${rows.map(([name, value]) => `<tr><th scope="row">${name}</th><td>${escapeHtml(value)}</td></tr>`).join('')}</tbody></table>`;
}

function repositories(title: string, list: readonly string[] | undefined): string {
  if (list === undefined) return '';
  return `<table><thead><tr><th>${title}</th></tr></thead><tbody>${list.map((one) => `<tr><td>${link(one)}</td></tr>`).join('')}</tbody></table>`;
}

/** Of what is announced to, the host alone: the rest may be a token. */
function idleTime({ shareIdleTime, notify }: MonitorFacts): string {
  const hosts = notify.map((url) => new URL(url).origin);
  return `<table><thead><tr><th>Share Idle Time: ${shareIdleTime}%</th></tr></thead><tbody>${hosts.map((one) => `<tr><td>${link(one)}</td></tr>`).join('')}</tbody></table>`;
}

function link(text: string): string {
  const url = text.startsWith('https://') || text.startsWith('http://') ? text : `https://${text}`;
  return `<a href="${escapeHtml(url)}">${escapeHtml(text)}</a>`;
}

function percent(value: number | undefined): string {
  return value === undefined ? 'not known yet' : `${Math.round(value * 10) / 10}%`;
}

function space(value: Space | undefined): string {
  if (value === undefined) return 'not known yet';
  return `${percent(percentOf(value))} of ${Math.round(value.total / 1024 ** 3)}GB`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
