/** Proves that a request with the cookie of the monitor page was sent by that page, which alone knows the value. */
export const CSRF_HEADER = 'X-Session-Server-CSRF';
