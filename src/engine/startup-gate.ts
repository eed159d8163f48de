/** Something that cannot be done from the first moment on. */
export interface StartupGate {
  /** Resolves when it can. */
  readonly ready: Promise<unknown>;
  readonly isReady: () => boolean;
}

export function createStartupGate(): StartupGate & { readonly begin: () => void } {
  let begun = false;
  let begin: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => {
    begin = () => {
      begun = true;
      resolve();
    };
  });
  return { ready, isReady: () => begun, begin };
}
