/** The agent's `/monitor`: one page without anything from elsewhere, complete without its script, which only keeps the figures fresh. */
import { createHash } from 'node:crypto';
import type { Measurement } from './sampler.ts';
import { percentOf, type Space } from './memory.ts';

export interface PageFacts {
  readonly hostName: string;
  /** Percent; `undefined` while it is not known. */
  readonly load: number | undefined;
  readonly measurement: Measurement | undefined;
  /** Seconds since the machine started. */
  readonly machineUptime: number;
  /** Seconds since the agent started. */
  readonly agentUptime: number;
}

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 42rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; }
th, td { padding: .35rem .5rem; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); text-align: left; }
td.figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
meter { width: 100%; min-width: 4rem; }
@media (max-width: 32rem) { td.bar { display: none; } }
`;

const SCRIPT = `
setInterval(async () => {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(4000) });
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    document.querySelector('main').replaceWith(page.querySelector('main'));
  } catch {
    document.querySelector('#fresh').textContent = 'No answer from the agent: these figures are old.';
  }
}, 2000);
`;

/** Only this style and this script, whatever the page says. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${sha256(STYLE)}'`,
  `script-src 'sha256-${sha256(SCRIPT)}'`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

export function monitorPage(facts: PageFacts): string {
  const host = escapeHtml(facts.hostName);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${host} – load agent</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${host}</h1>
<table>
<caption>Resources in use on this machine</caption>
<tbody>
${rows(facts)}
</tbody>
</table>
<p>Machine up for ${duration(facts.machineUptime)}, load agent for ${duration(facts.agentUptime)}. <span id="fresh"></span></p>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

function rows({ load, measurement }: PageFacts): string {
  const gpu = measurement?.gpu;
  return [
    row('Load', load, load === undefined ? 'not known yet' : 'mean of five seconds'),
    row('CPU', measurement?.cpu),
    spaceRow('Memory', measurement?.memory),
    spaceRow('Swap', measurement?.swap),
    row('GPU', gpu?.gpu, measurement !== undefined && gpu === undefined ? 'none that answers' : ''),
    row('GPU memory', gpu?.gpuMemory),
  ].join('\n');
}

function spaceRow(name: string, space: Space | undefined): string {
  if (space === undefined) return row(name, undefined);
  return space.total === 0
    ? row(name, undefined, 'none')
    : row(name, percentOf(space), `${gibibytes(space.used)} of ${gibibytes(space.total)}`);
}

function row(name: string, percent: number | undefined, note = ''): string {
  const shown = percent === undefined ? 'N/A' : `${percent.toFixed(1)}%`;
  const meter =
    percent === undefined ? '' : `<meter min="0" max="100" high="90" value="${percent.toFixed(1)}" aria-label="${name}"></meter>`;
  return `<tr><th scope="row">${name}</th><td class="figure">${shown}</td><td class="bar">${meter}</td><td>${note}</td></tr>`;
}

function gibibytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}

function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const days = Math.floor(minutes / 1440);
  const clock = `${Math.floor((minutes % 1440) / 60)} h ${minutes % 60} min`;
  return days === 0 ? clock : `${days} d ${clock}`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
