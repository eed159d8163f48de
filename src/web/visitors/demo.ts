/** Keeps the page of the demo true: replaces what it shows by what the server says now. Its buttons do not leave the page. */

/** Milliseconds between two requests. */
const EVERY = 1000;

export function startDemo(): void {
  setInterval(() => {
    if (!document.hidden) void show(fetch('demo'));
  }, EVERY);
  document.addEventListener('submit', (event) => {
    event.preventDefault();
    const fields = new FormData(event.target as HTMLFormElement, event.submitter);
    const body = new URLSearchParams([...fields].flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
    // The answer is a redirect to the page.
    void show(fetch('demo', { method: 'POST', body }));
  });
}

async function show(answering: Promise<Response>): Promise<void> {
  try {
    const answer = await answering;
    if (answer.ok) replaceLiveParts(new DOMParser().parseFromString(await answer.text(), 'text/html'));
  } catch {
    // The session server does not answer: the next second may be better.
  }
}

function replaceLiveParts(next: Document): void {
  const focused = document.activeElement?.id ?? '';
  for (const part of document.querySelectorAll('[data-live]')) {
    const found = next.querySelector(`[data-live="${part.getAttribute('data-live') ?? ''}"]`);
    if (found !== null && found.innerHTML !== part.innerHTML) part.replaceChildren(...found.childNodes);
  }
  if (focused !== '' && document.activeElement === document.body) document.getElementById(focused)?.focus();
}
