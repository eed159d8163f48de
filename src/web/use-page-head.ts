/** The title and the icon of the document, which show the health of the fleet in a list of tabs. */
import { useEffect } from 'preact/hooks';
import type { FleetView } from '../core/views/monitor-view.ts';
import type { Health } from './health.ts';
import { pageIcon } from './page-icon.ts';
import { pageTitle } from './page-title.ts';

/** `colour`: the health whose colour the icon has. */
export function usePageHead(fleet: FleetView, health: Health, colour: Health = health): void {
  const title = health === 'lost' ? `No contact · ${pageTitle(fleet)}` : pageTitle(fleet);
  useEffect(() => {
    document.title = title;
  }, [title]);
  useEffect(() => {
    document.querySelector('link[rel=icon]')?.setAttribute('href', pageIcon(colour));
  }, [colour]);
}
