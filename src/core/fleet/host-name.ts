/**
 * The rule for host names: what DNS allows, including names with letters of all languages (RFC 5890). `bücher.example` and `xn--bcher-kva.example` are one
 * host; its ASCII form is the second.
 */

/** Part of JavaScript environments of all kinds (URL standard), not of Node alone. */
declare const URL: { canParse(text: string): boolean; new (text: string): { readonly hostname: string } };

const LABEL = /^(?!-)[\p{L}\p{M}\p{N}_-]{1,63}$/u;
const IPV4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/;
const NEEDS_CONVERSION = /[^\x00-\x7f]|(?:^|\.)xn--/i;

/** The ASCII form of a DNS name, or the IPv4 address as it is; `undefined` when the text is neither. ASCII names keep their spelling. Never throws. */
export function asciiHostName(host: string): string | undefined {
  const labels = host.split('.');
  if (labels.length > 1 && labels.at(-1) === '') labels.pop();
  // A name whose last label is a number can only be an IPv4 address (URL standard, "ends in a number").
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? '')) return IPV4.test(host) ? host : undefined;
  if (!labels.every((label) => LABEL.test(label))) return undefined;
  const ascii = NEEDS_CONVERSION.test(host) ? convert(host) : host;
  return ascii !== undefined && ascii.length <= 253 ? ascii : undefined;
}

/** `undefined` for invalid punycode, too. */
function convert(host: string): string | undefined {
  const url = `http://${host}/`;
  const ascii = URL.canParse(url) ? new URL(url).hostname : undefined;
  // The conversion maps figures of other scripts to 0-9, and so might yield an IP address.
  return ascii === undefined || IPV4.test(ascii) ? undefined : ascii;
}
