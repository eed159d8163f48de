/**
 * A browser on a machine with the locale `C` or `POSIX`, as screens on a wall often are, names its language `en-US@posix`, which is no language tag; the
 * chart library would throw on it. To be imported before that library.
 */
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en-US' });
}

export {};
