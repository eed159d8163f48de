/** Why something could not be reached, in words. */
export function reason(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = codeOf(inner);
  const words: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'connection refused: nothing listens there',
    EHOSTUNREACH: 'no route to it',
    ENETUNREACH: 'no route to it',
    ECONNRESET: 'the connection was reset',
    ENOTFOUND: 'the name does not exist',
  };
  if (inner instanceof Error && inner.name === 'TimeoutError') return 'no answer in time';
  return words[code ?? ''] ?? (inner instanceof Error ? inner.message : String(inner));
}

/** The other side was reached, and its certificate was not accepted. */
export function isCertificateRefused(error: unknown): boolean {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return /CERT|SELF_SIGNED|VERIFY|HOSTNAME_MISMATCH/.test(codeOf(inner) ?? '');
}

export function codeOf(error: unknown): string | undefined {
  if (typeof error === 'string') return error;
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
