/** How generated parts of pages are laid out: lines of at most 120 columns, between marks that the formatter respects. */
const WIDTH = 120;

/** Lines of at most `WIDTH` columns. Those after the first begin with `indent`. */
export function wrapped(text: string, indent = ''): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indent + word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}

export function listItem(text: string): string {
  return wrapped(`- ${text}`, '  ');
}

const IGNORE = '<!-- prettier-ignore-start -->';
const ENDS = '<!-- prettier-ignore-end -->';

/** The page with `text` between its two marks. Throws when the page does not have them. */
export function withGenerated(page: string, text: string): string {
  const [before, rest] = page.split(IGNORE);
  const after = rest?.split(ENDS)[1];
  if (before === undefined || after === undefined) throw new Error(`the page lacks the marks ${IGNORE} and ${ENDS}`);
  return `${before}${IGNORE}\n\n${text.trim()}\n\n${ENDS}${after}`;
}
