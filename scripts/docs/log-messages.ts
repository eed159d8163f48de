/** What the program writes into its log, found in its source: every call of the log with a message that is written there. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { listItem } from './layout.ts';

type Level = 'error' | 'warn' | 'info' | 'debug';

interface Message {
  readonly level: Level;
  /** With `…` for what differs from line to line. */
  readonly text: string;
}

const TITLES: Readonly<Record<Level, string>> = {
  error: 'Errors',
  warn: 'Warnings',
  info: 'Information',
  debug: 'Debugging, only with `"debug": true`',
};

export function logMessages(source: string): string {
  const messages = sourceFiles(source).flatMap(messagesOf);
  return (Object.keys(TITLES) as Level[])
    .map((level) => {
      const texts = new Set(messages.filter((message) => message.level === level).map(({ text }) => text));
      const items = [...texts]
        .sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
        .map((text) => listItem(`\`${text}\``));
      return items.length === 0 ? '' : [`### ${TITLES[level]}`, '', ...items, ''].join('\n');
    })
    .filter((section) => section !== '')
    .join('\n');
}

function sourceFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.startsWith('web/'))
    .map((name) => join(folder, name));
}

function messagesOf(path: string): readonly Message[] {
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const found: Message[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) found.push(...messagesOfCall(node));
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function messagesOfCall({ expression, arguments: given }: ts.CallExpression): readonly Message[] {
  if (!ts.isPropertyAccessExpression(expression) || !/(?:^|[.#])log\??$/.test(expression.expression.getText())) return [];
  const method = expression.name.text;
  if (method === 'limited') {
    const [level, , message] = given;
    return textsOf(level)
      .filter(isLevel)
      .slice(0, 1)
      .flatMap((level) => textsOf(message).map((text) => ({ level, text })));
  }
  return isLevel(method) ? textsOf(given[0]).map((text) => ({ level: method, text })) : [];
}

function isLevel(word: string): word is Level {
  return Object.hasOwn(TITLES, word);
}

/** Each text that the expression can be, as far as it is written there. */
function textsOf(expression: ts.Expression | undefined): readonly string[] {
  if (expression === undefined) return [];
  if (ts.isStringLiteralLike(expression)) return [expression.text];
  if (ts.isConditionalExpression(expression)) return [...textsOf(expression.whenTrue), ...textsOf(expression.whenFalse)];
  if (!ts.isTemplateExpression(expression)) return [];
  return [expression.head.text + expression.templateSpans.map(({ literal }) => `…${literal.text}`).join('')];
}
