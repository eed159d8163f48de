/** WebSocket frames (RFC 6455 § 5.2) of binary messages whose content does not matter. */

const frames = new Map<string, Buffer>();
/** FIN, binary. */
const FIRST_BYTE = 0x82;
const MASKED = 0x80;

/** A whole message of `size` bytes, at most 65,535. Clients mask, here with zeros. */
export function frameOf(size: number, sender: 'client' | 'server'): Buffer {
  const name = `${sender} ${size}`;
  const made = frames.get(name);
  if (made !== undefined) return made;
  const masked = sender === 'client' ? MASKED : 0;
  const length = size < 126 ? [masked | size] : [masked | 126, size >> 8, size & 0xff];
  const mask = sender === 'client' ? [0, 0, 0, 0] : [];
  const frame = Buffer.concat([Buffer.from([FIRST_BYTE, ...length, ...mask]), Buffer.alloc(size, 'x')]);
  frames.set(name, frame);
  return frame;
}

/** Reports each whole message of a connection, however its bytes come; others than those of `frameOf` are an error. */
export class MessageCounter {
  readonly #counted: (size: number) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(counted: (size: number) => void) {
    this.#counted = counted;
  }

  read(bytes: Buffer): void {
    let left = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    for (let frame = first(left); frame !== undefined && frame.whole <= left.length; frame = first(left)) {
      this.#counted(frame.size);
      left = left.subarray(frame.whole);
    }
    this.#rest = left;
  }
}

/** Bytes of the first message, and of its frame with the header; `undefined` while the header is not there. */
function first(bytes: Buffer): { readonly size: number; readonly whole: number } | undefined {
  if (bytes.length < 2) return undefined;
  if (bytes[0] !== FIRST_BYTE) throw new Error(`no binary message: ${bytes.toString('hex', 0, 16)}`);
  const second = bytes[1] ?? 0;
  const mask = (second & MASKED) === 0 ? 0 : 4;
  const short = second & 0x7f;
  if (short < 126) return { size: short, whole: 2 + mask + short };
  if (bytes.length < 4) return undefined;
  const size = bytes.readUInt16BE(2);
  return { size, whole: 4 + mask + size };
}
