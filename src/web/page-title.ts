import type { FleetView } from '../core/views/monitor-view.ts';

/** Of the document, for who has several monitors open. */
export function pageTitle({ server, title }: Pick<FleetView, 'server' | 'title'>): string {
  return title.includes(server) ? title : `${server} · ${title}`;
}
