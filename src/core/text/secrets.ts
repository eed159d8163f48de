/** Removes secrets from texts from outside, which must appear neither in the log nor on a public page. */

export const REDACTED = '[Redacted]';

/**
 * The text without credentials: logins in URLs, parameters such as `token`, authorizations, and tokens that can be
 * recognised by their beginning.
 *
 * All repetitions are bounded or stop at characters they cannot contain, so that every text takes linear time.
 */
export function withoutSecrets(text: string): string {
  let shown = text;
  if (shown.includes('://')) shown = shown.replace(/:\/\/[^\s/?#]*@/g, `://${REDACTED}@`);
  if (shown.includes('=')) {
    shown = shown.replace(
      /([?&;#][\w.-]{0,40}(?:passw|pwd|secret|token|key|auth|sig|cred|code)[\w.-]{0,40}=)[^&\s#"']+/gi,
      (_, name: string) => name + REDACTED,
    );
  }
  if (AUTHORIZATION.test(shown)) {
    shown = shown
      .replace(/(authorization["']?\s{0,9}[:=]\s{0,9}["']?)(?:\w{1,20}\s{1,9})?[^\s"',]+/gi, (_, name: string) => name + REDACTED)
      .replace(/(bearer\s{1,9})[\w.~+/-]{16,}=*/gi, (_, scheme: string) => scheme + REDACTED);
  }
  return shown.replace(TOKEN, (_, prefix: string) => prefix + REDACTED);
}

/** Of GitHub, GitLab, Slack, AWS, Google, npm, Hugging Face, this program, and signed tokens (RFC 7519). */
const TOKEN =
  /(?<![A-Za-z0-9])(gh[oprsu]_|github_pat_|gl[a-z]{1,6}-|xox[a-z]-|sst_|npm_|hf_|sk-|eyJ|AKIA|ASIA|AIza)(?=[\w.-]{0,40}[0-9A-Z_])[\w.-]{12,}/g;

const AUTHORIZATION = /authorization|bearer/i;
