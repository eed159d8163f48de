/**
 * Words and turns of phrase that readers of documents, pages, messages and the configuration reference trip over, with what to write instead. Each was
 * found in a text of this project that readers had to read twice.
 *
 * `findings` takes any text: the prose of a document, a message, a description. Code in backticks and what is in `ALLOWED` is left alone.
 */
export interface Finding {
  /** From 1. */
  readonly line: number;
  /** As it was found. */
  readonly words: string;
  /** What to write instead. */
  readonly instead: string;
}

interface Rule {
  readonly pattern: RegExp;
  readonly instead: string;
}

/** A list of words, with the endings they may have. */
function words(list: string, instead: string): Rule {
  return { pattern: new RegExp(String.raw`\b(?:${list})\b`, 'gi'), instead };
}

const RULES: readonly Rule[] = [
  words('mend(?:s|ed|ing)?', 'fix'),
  words('levers?', 'action'),
  words('fronts?', 'reverse proxy'),
  words('anew', 'again'),
  words('of then', 'the previous, the earlier'),
  words('by and by', 'gradually'),
  words('for ever', 'indefinitely'),
  words('for good', 'permanently'),
  words('in vain', 'without success'),
  words('in earnest', 'really'),
  words('as good as (?:none|absent|never|root)', 'like, counts as'),
  words('in force', 'active, current'),
  words('to be had', 'available'),
  words('the one before', 'the previous one'),
  words('good-?bye', 'deregisters, closes'),
  words('whoever|whomever', 'anyone who, the client that'),
  words('somebody|anybody|nobody|everybody', 'a noun: an operator, a client, no client'),
  words('tell|tells|telling|told', 'report, notify, say'),
  words('hears?|heard', 'receives, is notified'),
  words('what became of', 'the outcome of'),
  words('last news', 'the latest message'),
  words('farewell|doings', 'the last line, actions'),
  words('heed(?:s|ed|ing)?', 'follow, use'),
  words('shall', 'must, will'),
  words('lest|whilst|amongst|thereby|therein|hence|upon', 'so that … not, while, among, so, in it, on'),
  words('oftener|dearer', 'more often, costlier, higher'),
  words('vouch(?:es|ed)?', 'trust, sign'),
  words('hearsay', 'unverified'),
  words('hangs? on', 'depends on'),
  words('hand(?:s|ed|ing)? around', 'published'),
  words('passes on|passed on|pass on|passing on', 'forwards'),
  words('passing rule', 'backfill'),
  words('kept servers', 'reserved servers'),
  words('(?:is|are) taken over', 'takes effect'),
  words('(?:taken?|takes) into use', 'enable'),
  words('stands? (?:in|there|beside|under|on|behind|before|above)', 'is in, is listed'),
  words('(?:may|must|cannot|can|not|need) stand', 'be'),
  words('stood in', 'was in'),
  words('leads? (?:to|nowhere|there|inside|back|somewhere|anywhere|its)', 'resolves to, forwards to, is not routed'),
  words('(?:to|for|of|by|from|with|on) who', 'those who, the client that'),
  words('what room there is', 'the free capacity'),
  words('(?:is|are) cut(?: off)?', 'is disconnected, is truncated'),
  words('(?:port|address) listened on', 'port to listen on'),
  { pattern: /\blistens? at (?!the moment|once)/gi, instead: 'listens on' },
  words('pull(?:s|ed)? (?:a|no) lever', 'change'),
  { pattern: /\bMost (?:client|bytes|tickets|sessions|registered|simulation|open|file)\b/g, instead: 'Maximum number of' },
  { pattern: /(?<!\bthere )\b(?:is|are|was|were|be) no (?!longer\b|more\b|less\b)[a-z]+/gi, instead: 'is not a' },
  // A relative clause as a subject: "Who does not read is cut." A question may begin so.
  { pattern: /(?:^|[.:;!|—] +|^ *(?:[-*>] |\d+\. ))(?:\*\*)?Who\b(?![^.?!]*\?)/gm, instead: 'A client that …, Anyone who …' },
];

/** Each is right where it is used. Other uses of the word are still found. */
export const ALLOWED: readonly string[] = [
  // What these words mean to everybody.
  'in front of',
  'up front',
  'front end',
  // The former name of the option `--reverse-proxy`, which is still accepted.
  '--front <kind>',
];

/** In the order of the text. */
export function findings(text: string): readonly Finding[] {
  const readable = withoutCode(text);
  const found = RULES.flatMap(({ pattern, instead }) =>
    [...readable.matchAll(pattern)].map((match) => ({ at: match.index, words: match[0].trim(), instead })),
  );
  return found
    .sort((a, b) => a.at - b.at)
    .map(({ at, words, instead }) => ({ line: readable.slice(0, at).split('\n').length, words, instead }));
}

/** For messages of tests. */
export function findingText(place: string, { line, words, instead }: Finding): string {
  return `${place}:${line}: "${words}": write ${instead}`;
}

/** The same text with blanks for code, comments of HTML, addresses of links and what is allowed, so that lines keep their numbers. */
function withoutCode(text: string): string {
  const blank = (found: string) => found.replace(/[^\n]/g, ' ');
  const code = [/^ *```.*?^ *```/gms, /``.+?``|`[^`]+`/gs, /<!--.*?-->/gs, /\]\([^)\n]*\)/g, /https?:\/\/\S+/g];
  const readable = code.reduce((rest, pattern) => rest.replace(pattern, blank), text);
  return ALLOWED.reduce((rest, phrase) => rest.replaceAll(new RegExp(phrase, 'gi'), blank), readable);
}
