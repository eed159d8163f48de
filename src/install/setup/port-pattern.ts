/** A regular expression without a group that matches exactly the numbers from `first` to `last` in decimals: web servers know patterns, not ranges. */
export function portPattern(first: number, last: number): string {
  return split(first, last)
    .map(([from, to]) => alike(from, to))
    .join('|');
}

/** Ranges whose patterns are one character class for each digit. */
function split(first: number, last: number): [string, string][] {
  const ranges: [string, string][] = [];
  for (let from = first; from <= last;) {
    // The longest run that begins here and varies all of its last digits.
    let size = 1;
    while (
      from % (size * 10) === 0 &&
      from + size * 10 - 1 <= last &&
      String(from).length === String(from + size * 10 - 1).length
    )
      size *= 10;
    // Neighbours of this size that differ in one digit are one range.
    let to = from + size - 1;
    while (to + size <= last && Math.floor((to + size) / (size * 10)) === Math.floor(from / (size * 10))) to += size;
    ranges.push([String(from), String(to)]);
    from = to + 1;
  }
  return ranges;
}

function alike(from: string, to: string): string {
  let pattern = '';
  let any = 0;
  for (let i = 0; i < from.length; i += 1) {
    const [low = '', high = ''] = [from[i], to[i]];
    if (low === '0' && high === '9') any += 1;
    else pattern += low === high ? low : `[${low}-${high}]`;
  }
  return pattern + (any === 0 ? '' : any === 1 ? '[0-9]' : `[0-9]{${any}}`);
}
