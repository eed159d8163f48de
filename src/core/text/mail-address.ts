/** A mail address for a public page: its owner recognizes it by the first letter and the host, and it is useless to spammers. */
export function maskedAddress(addresses: string): string {
  return addresses.split(', ').map(mask).join(', ');
}

function mask(address: string): string {
  const at = address.lastIndexOf('@');
  const [first = ''] = address;
  return at < 0 ? `${first}…` : `${first}…${address.slice(at)}`;
}
