/** The icon of the page: three bars of load, in a colour that can be seen among many tabs. */
import type { Health } from './health.ts';

const COLORS: Readonly<Record<Health, string>> = {
  working: '#0b6bcb',
  degraded: '#b36b00',
  closed: '#b6212b',
  lost: '#566271',
};

/** As a `data:` URL. */
export function pageIcon(health: Health): string {
  return `data:image/svg+xml,${encodeURIComponent(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="${COLORS[health]}"/><path d="M3.5 12.5v-4h2v4zm3.5 0v-9h2v9zm3.5 0v-6h2v6z" fill="#fff"/></svg>`,
  )}`;
}
