/** Opens once, some time after the start; what comes earlier waits. */
export interface StartupGate {
  /** Resolves when it opens. */
  readonly ready: Promise<unknown>;
  readonly isReady: () => boolean;
}

export function createStartupGate(): StartupGate & { readonly begin: () => void } {
  let started = false;
  let begin: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => {
    begin = () => {
      started = true;
      resolve();
    };
  });
  return { ready, isReady: () => started, begin };
}
