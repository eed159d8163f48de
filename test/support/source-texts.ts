/** The words of a source file that people read: its texts (literals, templates, JSX) and its comments. */
import ts from 'typescript';

export interface SourceText {
  /** Of its beginning, from 1. */
  readonly line: number;
  readonly text: string;
}

/** Values of these attributes are code, even with spaces in them. */
const CODE_ATTRIBUTES: ReadonlySet<string> = new Set(['class', 'd', 'id', 'points', 'style', 'transform', 'viewBox']);

const TEST_FUNCTION = /(?:^|\.)(?:test|it|describe|suite)$/;

/** Replaces a value in a template: the sentence continues after it. */
const VALUE = '…';

/** String literals, templates and JSX text in the order of the file. Identifiers, codes, types and the paths of imports are left out. */
export function readableTexts(path: string, source: string): readonly SourceText[] {
  const file = parsed(path, source);
  const found: SourceText[] = [];
  const visit = (node: ts.Node): void => {
    if (isCode(node)) return;
    const text = textOf(node);
    if (text !== undefined && isReadable(node, text)) found.push({ line: lineOf(file, node.getStart(file)), text });
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** Comments in the order of the file, without their marks. Line comments on successive lines are one text, because sentences run on in them. */
export function comments(path: string, source: string): readonly SourceText[] {
  const file = parsed(path, source);
  const found = new Map<number, ts.CommentRange>();
  const visit = (node: ts.Node): void => {
    const children = node.getChildren(file);
    if (children.length > 0 || node.kind === ts.SyntaxKind.EndOfFileToken) for (const child of children) visit(child);
    if (children.length > 0 || ts.isJsxText(node)) return;
    const ranges = [ts.getLeadingCommentRanges(source, node.pos), ts.getTrailingCommentRanges(source, node.end)];
    for (const range of ranges.flatMap((some) => some ?? [])) found.set(range.pos, range);
  };
  visit(file);
  return joined(
    [...found.values()]
      .sort((a, b) => a.pos - b.pos)
      .map(({ pos, end }) => ({ line: lineOf(file, pos), text: withoutMarks(source.slice(pos, end)) })),
  );
}

/** The titles of tests and of groups of tests, in the order of the file. */
export function testTitles(path: string, source: string): readonly SourceText[] {
  const file = parsed(path, source);
  const found: SourceText[] = [];
  const visit = (node: ts.Node): void => {
    const title = ts.isCallExpression(node) && TEST_FUNCTION.test(node.expression.getText(file)) ? node.arguments[0] : undefined;
    const text = title && textOf(title);
    if (title !== undefined && text !== undefined) found.push({ line: lineOf(file, title.getStart(file)), text });
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function parsed(path: string, source: string): ts.SourceFile {
  const kind = path.endsWith('.tsx') ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  return ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true, kind);
}

function lineOf(file: ts.SourceFile, position: number): number {
  return file.getLineAndCharacterOfPosition(position).line + 1;
}

function isCode(node: ts.Node): boolean {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isTypeNode(node)) return true;
  return ts.isJsxAttribute(node) && CODE_ATTRIBUTES.has(node.name.getText());
}

function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteralLike(node) || ts.isJsxText(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return [node.head.text, ...node.templateSpans.map(({ literal }) => VALUE + literal.text)].join('');
}

/** A word alone is a code or a key, unless it is on the page or written like the beginning of a sentence. */
function isReadable(node: ts.Node, text: string): boolean {
  const words = text.trim();
  if (ts.isJsxText(node)) return words !== '';
  return /\s/.test(words) || /^[A-Z][a-z]+[.:…]?$/.test(words);
}

/** Keeps the number of lines. */
function withoutMarks(comment: string): string {
  return comment
    .replace(/^\/\/ ?|^\/\*+|\*\/$/g, '')
    .replace(/^ *\* ?/gm, '')
    .trimEnd();
}

function joined(comments: readonly SourceText[]): readonly SourceText[] {
  const result: SourceText[] = [];
  for (const { line, text } of comments) {
    const last = result.at(-1);
    if (last !== undefined && last.line + last.text.split('\n').length === line)
      result[result.length - 1] = { line: last.line, text: `${last.text}\n${text}` };
    else result.push({ line, text });
  }
  return result;
}
