/** Keeps the landing page true: at once by the WebSocket `/`, and every few seconds where WebSockets do not work. */
import type { Texts } from '../../core/languages/texts.ts';
import { prospectOf, type VisitorView } from '../../core/views/visitor-view.ts';
import { Availability } from './availability.ts';
import { element, say, socketUrl } from './element.ts';
import { Fleet } from './fleet.ts';
import { fleetNumbers, prospectAction, prospectText, startText } from './fleet-texts.ts';

export function startLanding(texts: Texts, dataset: DOMStringMap): void {
  const fleet = new Fleet(dataset['fleet'] ?? '', (view) => show(texts, view));
  fleet.start();
  new Availability(socketUrl('.'), () => void fleet.ask()).start();
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) void fleet.ask();
  });
}

function show(texts: Texts, fleet: VisitorView | undefined): void {
  const card = document.querySelector<HTMLElement>('.now');
  if (fleet === undefined) {
    card?.setAttribute('data-prospect', 'unknown');
    say('prospect', texts.unknown);
    say('action', '');
    return;
  }
  const prospect = prospectOf(fleet);
  card?.setAttribute('data-prospect', prospect);
  say('prospect', prospectText(texts, prospect));
  say('action', prospectAction(texts, prospect));
  say('start', startText(texts, prospect));
  element('start-form').hidden = prospect === 'empty';
  for (const { name, value, text, quiet } of fleetNumbers(texts, fleet)) {
    const place = document.querySelector(`[data-number="${name}"]`);
    if (place === null) continue;
    place.textContent = text;
    if (place.parentElement !== null) place.parentElement.hidden = quiet && value === 0;
  }
}
