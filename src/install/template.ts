/**
 * Files that are written for an operator are kept in `templates/`, as the files that they become. `{{name}}` is replaced by a value. The lines between
 * `{{#name}}` and `{{/name}}` are repeated for each entry of a list, and left out when it is empty. A name without a value and a value without a use are
 * bugs, and throw.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../system/package-root.ts';

export type TemplateName =
  | 'apache.conf'
  | 'nginx.conf'
  | 'Caddyfile'
  | 'haproxy-backend.cfg'
  | 'session-server.service'
  | 'simulation-server.service'
  | 'deploy-certificate.sh';

export interface Values {
  readonly [name: string]: string | number | readonly Values[];
}

export function renderFile(name: TemplateName, values: Values): string {
  return render(readFileSync(join(packageRoot, 'src', 'install', 'templates', name), 'utf8'), values);
}

/** The lines of a section, or a name. */
const PART = /^\{\{#(\w+)\}\}\n([\s\S]*?)^\{\{\/\1\}\}\n|\{\{([^{}]*)\}\}/gm;

/** `outer`: the values around a section, which its lines may use, too. */
export function render(template: string, values: Values, outer: Values = {}): string {
  for (const name of Object.keys(values))
    if (!template.includes(`{{${name}}}`) && !template.includes(`{{#${name}}}`))
      throw new Error(`the template does not use "${name}"`);
  const all = { ...outer, ...values };
  return template.replace(PART, (_, section: string | undefined, lines: string, name: string) => {
    const value = all[section ?? name];
    if (section !== undefined && typeof value === 'object') return value.map((entry) => render(lines, entry, all)).join('');
    if (section !== undefined || (typeof value !== 'string' && typeof value !== 'number'))
      throw new Error(`"${section ?? name}" has no value that the template can use`);
    return String(value);
  });
}

/** As the value of a section: its lines are written once, or not at all. */
export function onlyIf(condition: boolean): readonly Values[] {
  return condition ? [{}] : [];
}
