/** How the door is started. It lies beside this file, in the sources and in the bundle. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const IS_SOURCE = import.meta.url.endsWith('.ts');
const DOOR = fileURLToPath(new URL(IS_SOURCE ? './door-process.ts' : './door-process.js', import.meta.url));

/** `folders`: what has to be visible where it runs. The simulator's own arguments may follow. */
export function doorArguments(
  socket: string,
  port: number,
): { readonly argv: readonly string[]; readonly folders: readonly string[] } {
  return {
    argv: [process.execPath, '--max-semi-space-size=1', DOOR, socket, String(port)],
    folders: [dirname(process.execPath), dirname(DOOR)],
  };
}
