/** The cookie that opens the levers of the monitor page. */

/**
 * With the port, because cookies do not know it (RFC 6265 § 8.5): two session servers of one machine would sign each other out. The gateway's ports and a
 * front show the same page, so it is the port of the configuration's `port` in all cases.
 */
export function monitorCookie(port: number): string {
  return `session-server-${port}`;
}

/** Whether a `name=value` is such a cookie, of whichever session server: simulation servers run what strangers wrote. */
export function isMonitorCookie(pair: string): boolean {
  return /^session-server-[0-9]+=/.test(pair);
}
