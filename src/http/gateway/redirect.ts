/**
 * Plain HTTP, usually on port 80: everything is redirected to HTTPS, except the challenge for renewing a certificate
 * (RFC 8555 § 8.3), which is answered from a folder that certbot writes to.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { RequestListener, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { UpgradeHandler } from '../server/server.ts';
import { answerPlainly } from '../server/plain-answers.ts';

export interface RedirectOptions {
  /** What follows `https://` in links. Never taken from the request, which could name any host. */
  readonly host: () => string;
  /** Folder that holds `.well-known/acme-challenge/`. */
  readonly acmeDir: () => string | undefined;
}

const CHALLENGE = '/.well-known/acme-challenge/';
/** RFC 8555 § 8.3: the token is base64url, so no name can leave the folder. */
const TOKEN = /^[A-Za-z0-9_-]{1,200}$/;
const MAX_BYTES = 65_536;

export function createRedirect(options: RedirectOptions): { readonly handle: RequestListener; readonly upgrade: UpgradeHandler } {
  const location = (target = '/') => `https://${options.host()}${target.startsWith('/') ? target : '/'}`;
  return {
    handle(request, response) {
      const target = request.url ?? '/';
      if (target.startsWith(CHALLENGE)) {
        void answerChallenge(response, options.acmeDir(), target.slice(CHALLENGE.length), request.method);
        return;
      }
      response.writeHead(308, {
        Location: location(target),
        'Content-Length': 0,
        // Pages of other origins follow only redirects that they may read.
        'Access-Control-Allow-Origin': '*',
      });
      response.end();
    },
    upgrade(request, socket) {
      answerPlainly(socket, 308, '', { Location: location(request.url) });
    },
  };
}

async function answerChallenge(
  response: ServerResponse,
  folder: string | undefined,
  token: string,
  method = 'GET',
): Promise<void> {
  const text = folder !== undefined && TOKEN.test(token) ? await readChallenge(folder, token) : undefined;
  response.writeHead(text === undefined ? 404 : 200, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-store' });
  response.end(method === 'HEAD' ? undefined : (text ?? 'There is no such challenge.\n'));
}

/** The file itself, links not followed; `undefined` when there is none that could be a challenge. */
async function readChallenge(folder: string, token: string): Promise<Buffer | undefined> {
  try {
    const file = await open(join(folder, CHALLENGE, token), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const info = await file.stat();
      return info.isFile() && info.size <= MAX_BYTES ? await file.readFile() : undefined;
    } finally {
      await file.close();
    }
  } catch {
    // Missing, unreadable, or a link: the answer is the same.
    return undefined;
  }
}
