/** A mail address for a page that everybody may read: its owner knows it by its first letter and its host, and who collects addresses gets nothing. */
export function maskedAddress(address: string): string {
  const at = address.lastIndexOf('@');
  const [first = ''] = address;
  return at < 0 ? `${first}…` : `${first}…${address.slice(at)}`;
}
