/** Removes secrets from texts from outside, which must appear neither in the log nor on a public page. */

export const REDACTED = '[Redacted]';

/**
 * The text without credentials: logins in URLs, parameters such as `token`, and authorizations.
 *
 * All repetitions are bounded or stop at characters they cannot contain, so that every text takes linear time.
 */
export function withoutSecrets(text: string): string {
  let shown = text;
  if (shown.includes('://')) shown = shown.replace(/:\/\/[^\s/?#]*@/g, `://${REDACTED}@`);
  if (shown.includes('=')) {
    shown = shown.replace(
      /([?&;][\w.-]{0,40}(?:passw|secret|token|key|auth)[\w.-]{0,40}=)[^&\s#"']+/gi,
      (_, name: string) => name + REDACTED,
    );
  }
  if (AUTHORIZATION.test(shown)) {
    shown = shown
      .replace(/(authorization["']?\s{0,9}[:=]\s{0,9}["']?)(?:\w{1,20}\s{1,9})?[^\s"',]+/gi, (_, name: string) => name + REDACTED)
      .replace(/(bearer\s{1,9})[\w.~+/-]{16,}=*/gi, (_, scheme: string) => scheme + REDACTED);
  }
  return shown;
}

const AUTHORIZATION = /authorization|bearer/i;
