/** Where the program writes. */
import { z } from 'zod';
import { type Environment, unsetVariables } from '../environment.ts';
import { type Problem, showValue } from '../problem.ts';
import { path } from './values.ts';

const logDir = path
  .default('log')
  .describe('Folder of the log files; `~` and `$VAR` are expanded; relative to the working directory.')
  .meta({ restart: true, expected: 'the path of a folder' });

const debug = z.boolean().default(false).describe('Log to stdout instead of the file, with more detail.').meta({ restart: true });

const logFormat = z
  .enum(['text', 'json'])
  .default('text')
  .describe('`text`: lines as the original writes them; `json`: one object per line, for log collectors.')
  .meta({ restart: true });

const logTo = z
  .enum(['file', 'stdout'])
  .optional()
  .describe('Where the log goes: `file` in `logDir`, or `stdout`, as containers need it.')
  .meta({ restart: true, absent: '`stdout` with `debug`, else `file`' });

const logLevel = z
  .enum(['debug', 'info', 'warn', 'error'])
  .optional()
  .describe('The least important lines that are logged.')
  .meta({ restart: true, absent: '`debug` with `debug`, else `info`' });

const stateDir = path
  .optional()
  .describe('Folder for data that survives a restart; the path is written as in `logDir`.')
  .meta({ restart: true, absent: '`state` beside `logDir`', expected: 'the path of a folder' });

/** The keys of the top level that this section has. */
export const folderKeys = { logDir, debug, logTo, logLevel, logFormat, stateDir };

interface Folders {
  readonly logDir?: string | undefined;
  readonly stateDir?: string | undefined;
}

export function checkFolders({ logDir, stateDir }: Folders, env: Environment['env']): Problem[] {
  return Object.entries({ logDir, stateDir }).flatMap(([key, path = '']): Problem[] => {
    const value = showValue(path);
    const unset = unsetVariables(path, env).map((name) => ({
      expected: 'environment variables that are set',
      fix: `set ${name}; it stays in the path as it is`,
    }));
    const otherHome = /^~[^/]+/.test(path)
      ? [{ expected: '~ for your own home folder only', fix: 'write the path of the other home folder' }]
      : [];
    return [...unset, ...otherHome].map(({ expected, fix }) => ({ key, value, expected, fix }));
  });
}
