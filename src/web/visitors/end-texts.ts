/** Why a session ended or could not start, and what to do about it. */
import type { Texts } from '../../core/languages/texts.ts';
import type { SessionEnd } from './session.ts';

export interface EndTexts {
  readonly text: string;
  /** What the server says, in English; empty: `text` says it all. */
  readonly reason: string;
}

/** Codes of the API (docs/reference/api-codes.md) that mean the same to a visitor. */
const BY_CODE: Readonly<Record<string, keyof Texts>> = {
  'no-room': 'full',
  'others-wait': 'full',
  'held-for-class': 'full',
  'waiting-line-full': 'full',
  lapsed: 'full',
  'too-many-waiting': 'tooMany',
  'too-many-requests': 'tooMany',
  'no-server-allows-repository': 'notAllowed',
  'no-server-has-labels': 'notAllowed',
};

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
  }
}

function refusalTexts(texts: Texts, code: string, reason: string): EndTexts {
  if (code === 'no-servers') return { text: `${texts.empty} ${texts.emptyAction}`, reason: '' };
  const name = BY_CODE[code] ?? (code.startsWith('project-') ? 'badProject' : 'refused');
  return { text: texts[name], reason };
}
