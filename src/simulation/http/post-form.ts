/** Sends a form, as HTML does, and returns the text of the answer. */
export async function postForm(url: string, form: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    body: new URLSearchParams(form),
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]),
  });
  const text = await response.text();
  return response.ok ? text : `${response.status} ${text}`;
}

/** Milliseconds. */
const TIMEOUT = 20_000;
