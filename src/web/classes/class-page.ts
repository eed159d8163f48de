/** The page of a class, for students and for the projector: a countdown, the way in, and a QR code of its own address. */
import { renderSVG } from 'uqr';
import type { ClassView } from '../../core/views/class-view.ts';
import { classFacts } from './class-facts.ts';
import { formats } from './formats.ts';
import type { ClassTexts } from '../../core/languages/classes/texts.ts';

const SECOND = 1000;
/** Milliseconds between two questions whether the class was moved or extended. */
const ASK_EVERY = 20_000;

export function startClassPage(served: ClassView, texts: ClassTexts): void {
  let view = served;
  const show = (): void => {
    const { isOpen, status } = classFacts(view, texts, { now: Date.now() });
    // A change of the text is read aloud, so the same one is not written again.
    const place = element('status');
    if (place.textContent !== status) place.textContent = status;
    // The countdown changes each second and would be read aloud each second.
    place.setAttribute('aria-live', isOpen ? 'polite' : 'off');
    element('start').hidden = !isOpen;
    element('when').textContent = formats(texts).span(view.start, view.end);
  };
  const ask = async (): Promise<void> => {
    const known = await fetch(`api/v1/classes/${encodeURIComponent(view.code)}`).then(
      async (response) => (response.ok ? ((await response.json()) as ClassView) : undefined),
      () => undefined,
    );
    if (known !== undefined) view = known;
  };
  showAddress();
  show();
  setInterval(show, SECOND);
  setInterval(() => void ask(), ASK_EVERY);
}

/** The code shows the address by which this browser came: behind a reverse proxy, no other part knows it. */
function showAddress(): void {
  const { href } = new URL('.', location.href);
  const address = href.replace(/\/$/, '');
  element('qr').innerHTML = renderSVG(address, { border: 2 });
  element('address').textContent = address;
  element('session').textContent = new URL('session', href).href;
  element('projector').hidden = false;
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element ${id}`);
  return found;
}
