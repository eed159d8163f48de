/** Parts of the page that are always there. */
export function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element ${id}`);
  return found;
}

/** Only when it differs, so that a screen reader reads no sentence twice. */
export function say(id: string, text: string): void {
  const place = element(id);
  if (place.textContent !== text) place.textContent = text;
}

/** Of the session server that served this page, which may be behind a path. */
export function socketUrl(path: string): string {
  return new URL(path, document.baseURI).href.replace(/^http/, 'ws');
}
