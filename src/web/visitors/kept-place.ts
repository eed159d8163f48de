/**
 * The place in line of a page that is loaded again. It is stored only meanwhile, so that a copy of the page does not take it. A storage that is full or
 * forbidden keeps nothing.
 */

const key = () => `place in line ${location.pathname}${location.search}`;

export function has(): boolean {
  return use(() => sessionStorage.getItem(key()) !== null) ?? false;
}

export function keep(token: string | undefined): void {
  if (token !== undefined) use(() => sessionStorage.setItem(key(), token));
}

export function take(): string | undefined {
  return use(() => {
    const token = sessionStorage.getItem(key());
    sessionStorage.removeItem(key());
    return token ?? undefined;
  });
}

function use<T>(storage: () => T): T | undefined {
  try {
    return storage();
  } catch {
    return undefined;
  }
}
