/** The answer to `GET /api/v1/explain`: would a session request be allocated now, and what does each server say to it. */
import type { AnswerView, ExplainView } from '../core/monitor-view.ts';
import { parseProject, type Project } from '../core/project.ts';
import type { Labels, Route } from '../core/routing.ts';

export interface ExplainSource {
  /** Hosts besides `github.com` from which projects may come. */
  readonly otherHosts: () => readonly string[];
  readonly route: (project: Project | undefined, labels: Labels | undefined) => Route;
  /** Would somebody who asked now get a place at once. */
  readonly fits: (project: Project | undefined, labels: Labels | undefined) => boolean;
  readonly explain: (
    project: Project | undefined,
    labels: Labels | undefined,
  ) => { readonly summary: string; readonly answers: readonly AnswerView[] };
}

/** Codes of an explanation besides those of a refused project and of routing. */
export const OPEN = 'open';
export const NO_ROOM = 'no-room';

export function explainView(source: ExplainSource, projectUrl: string | undefined, labels: Labels | undefined): ExplainView {
  const read = projectUrl === undefined ? undefined : parseProject(projectUrl, { otherHosts: source.otherHosts() });
  if (read?.kind === 'refused')
    return { project: null, open: false, code: `project-${read.rule}`, reason: read.reason, servers: [] };
  const project = read?.project;
  const route = source.route(project, labels);
  const { summary, answers } = source.explain(project, labels);
  const asked = { project: project?.url ?? null, servers: answers };
  if (route.kind === 'refused') return { ...asked, open: false, code: route.code, reason: route.reason };
  const open = source.fits(project, labels);
  return { ...asked, open, code: open ? OPEN : NO_ROOM, reason: sentence(summary) };
}

function sentence(summary: string): string {
  return /[.!?]$/.test(summary) ? summary : `${summary}.`;
}
