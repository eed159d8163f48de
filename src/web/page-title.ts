import type { FleetView } from '../core/views/monitor-view.ts';

/** Of the document. Names the server, for viewers with several monitors open. */
export function pageTitle({ server, title }: Pick<FleetView, 'server' | 'title'>): string {
  return title.includes(server) ? title : `${server} · ${title}`;
}
