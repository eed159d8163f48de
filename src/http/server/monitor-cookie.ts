/** The cookie of a person who signed in on the monitor page. */

/**
 * The name contains the port, because cookies ignore ports (RFC 6265 § 8.5): two session servers on one machine would sign
 * each other out. The gateway's ports and a reverse proxy show the same page, so it is always the configured `port`.
 */
export function monitorCookie(port: number): string {
  return `session-server-${port}`;
}

/** Whether a `name=value` is such a cookie, of any session server. Simulation servers run code of strangers and must not get it. */
export function isMonitorCookie(pair: string): boolean {
  return /^session-server-[0-9]+=/.test(pair);
}
