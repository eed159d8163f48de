/**
 * The first message of a client on `/client`: what it wants to run. It is forwarded to a simulation server unchanged. Only the project is read here, because
 * it decides which servers may get the message. Clients since R2022 send `{"start": {"url": …, "mode": …}}`; older ones send `{"init": […]}`, which names no repository.
 */
export type StartMessage =
  | { readonly kind: 'start'; /** As the client wrote it, unchecked. */ readonly projectUrl?: string }
  | { readonly kind: 'refused'; readonly reason: string };

/** Never throws. The caller limits the size of the text. */
export function readStartMessage(text: string): StartMessage {
  const message = parse(text);
  if (message === undefined) return refused('The first message from the client cannot be read.');
  const { start, init } = message;
  if (start === undefined)
    return Array.isArray(init) ? { kind: 'start' } : refused('The first message from the client does not start anything.');
  const url = isObject(start) ? start['url'] : undefined;
  if (typeof url !== 'string' || url === '') return refused('The client does not say which project it wants to run.');
  return { kind: 'start', projectUrl: url };
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refused(reason: string): StartMessage {
  return { kind: 'refused', reason };
}
