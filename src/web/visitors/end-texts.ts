/** Why a session ended or could not start, and what to do about it. */
import { fill, type Texts } from '../../core/languages/texts.ts';
import { causeOfEnd } from '../../core/gateway/server-words.ts';
import { NO_REPOSITORY, OUT_OF_MEMORY } from '../../core/simulation/sentences.ts';
import type { SessionEnd } from './session.ts';

export interface EndTexts {
  readonly text: string;
  /** What the server says, in English; empty: `text` says it all. */
  readonly reason: string;
}

/** Codes of the API (docs/reference/api-codes.md). */
const BY_CODE: Readonly<Record<string, keyof Texts>> = {
  'no-room': 'full',
  'others-wait': 'full',
  'held-for-class': 'full',
  'waiting-line-full': 'full',
  'too-many-waiting': 'tooMany',
  'too-many-requests': 'tooMany',
  'too-many-codes': 'tooMany',
  'no-server-allows-repository': 'notAllowed',
  'no-server-has-labels': 'notAllowed',
  'project-host': 'projectHost',
  'project-empty': 'projectForm',
  'project-scheme': 'projectForm',
  'project-owner': 'projectForm',
  'project-repository': 'projectForm',
  'project-version': 'projectForm',
  'project-world': 'projectForm',
  'unknown-code': 'classUnknown',
  'class-not-open': 'classClosed',
  'store-unreachable': 'serverTrouble',
  'already-waiting': 'elsewhere',
  'continued-elsewhere': 'elsewhere',
  'given-up': 'elsewhere',
  'removed-by-operator': 'removed',
  lapsed: 'lapsed',
};

/** RFC 6455 § 7.4.1: the simulator failed, and the simulation server stops. */
const FAILED = 1011;
const STOPPED = 1012;

export function endTexts(texts: Texts, end: SessionEnd): EndTexts {
  switch (end.kind) {
    case 'left':
      return { text: texts.gone, reason: '' };
    case 'left-line':
      return { text: texts.goneFromLine, reason: '' };
    case 'over':
      return { text: texts.ended, reason: '' };
    case 'machine-lost':
      return { text: texts.machineLost, reason: '' };
    case 'unreachable':
      return { text: texts.machineUnreachable, reason: '' };
    case 'no-websocket':
      return { text: texts.noWebSocket, reason: '' };
    case 'refused':
      return refusalTexts(texts, end.code, end.reason);
    case 'failed':
      return failureTexts(texts, end);
  }
}

function refusalTexts(texts: Texts, code: string, reason: string): EndTexts {
  if (code === 'no-servers') return { text: `${texts.empty} ${texts.emptyAction}`, reason: '' };
  const name = BY_CODE[code] ?? (code.startsWith('project-') ? 'projectPart' : 'refused');
  return { text: texts[name], reason: name === 'refused' ? reason : detail(texts, reason) };
}

/** Only what concerns the author of the project is shown in English, too. */
function failureTexts(texts: Texts, { code, reason, cause }: Extract<SessionEnd, { kind: 'failed' }>): EndTexts {
  const [, world] = /^(\S+\.wbt) does not exist\.$/.exec(reason) ?? [];
  if (world !== undefined) return { text: fill(texts.worldMissing, { world }), reason: '' };
  if (reason === NO_REPOSITORY) return { text: texts.repositoryMissing, reason: '' };
  if (reason === OUT_OF_MEMORY) return { text: texts.outOfMemory, reason: '' };
  if (code === STOPPED) return { text: texts.machineStops, reason: '' };
  if (code === FAILED) return { text: texts.simulationFails, reason };
  return (cause ?? causeOfEnd(code, reason)) === 'project'
    ? { text: texts.machineRefuses, reason }
    : { text: texts.machineFails, reason: detail(texts, reason) };
}

/** What repeats the text, in more detail, is for those who read its language. */
function detail({ language }: Texts, reason: string): string {
  return /^en\b/i.test(language) ? reason : '';
}
