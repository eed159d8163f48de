/**
 * On a machine with the locale `C` or `POSIX`, as often behind a screen on a wall, a browser reports its language as
 * `en-US@posix`. This is not a valid language tag, and the chart library would throw. Import this file before that
 * library.
 */
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en-US' });
}

export {};
