/** Takes apart a message as it came over the wire: RFC 5322 headers, and a body of one part in any of the transfer encodings of RFC 2045. */
export interface ParsedMail {
  /** By lower-case name; folded lines joined. A header that came twice stands twice. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Decoded; lines end with LF. */
  readonly body: string;
}

export function parseMail(raw: string): ParsedMail {
  const end = raw.indexOf('\r\n\r\n');
  const headers = new Map<string, string[]>();
  for (const line of raw
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon < 1) throw new Error(`not a header: ${JSON.stringify(line)}`);
    const name = line.slice(0, colon).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
  }
  const encoding = headers.get('content-transfer-encoding')?.[0] ?? '7bit';
  return { headers, body: decode(raw.slice(end + 4), encoding).replaceAll('\r\n', '\n') };
}

function decode(text: string, encoding: string): string {
  switch (encoding.toLowerCase()) {
    case '7bit':
    case '8bit':
      return Buffer.from(text, 'latin1').toString('utf8');
    case 'base64':
      return Buffer.from(text, 'base64').toString('utf8');
    case 'quoted-printable': {
      const bytes = text
        .replaceAll('=\r\n', '')
        .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
      return Buffer.from(bytes, 'latin1').toString('utf8');
    }
    default:
      throw new Error(`unknown transfer encoding ${encoding}`);
  }
}
