/** The response to `GET /api/v1/explain`: whether a session request would be allocated now, and the answer of each server. */
import type { AnswerView, ExplainView } from '../../core/views/monitor-view.ts';
import { parseProject, type Project } from '../../core/fleet/project.ts';
import type { Labels, Route } from '../../core/fleet/routing.ts';
import type { Prospect } from '../../engine/prospects.ts';

export interface ExplainSource {
  /** Hosts besides `github.com` from which projects are allowed. */
  readonly otherHosts: () => readonly string[];
  readonly route: (project: Project | undefined, labels: Labels | undefined) => Route;
  /** What a request now would get. */
  readonly prospect: (project: Project | undefined, labels: Labels | undefined) => Prospect;
  readonly explain: (
    project: Project | undefined,
    labels: Labels | undefined,
  ) => { readonly summary: string; readonly answers: readonly AnswerView[] };
}

export function explainView(source: ExplainSource, projectUrl: string | undefined, labels: Labels | undefined): ExplainView {
  const read = projectUrl === undefined ? undefined : parseProject(projectUrl, { otherHosts: source.otherHosts() });
  if (read?.kind === 'refused')
    return { project: null, open: false, code: `project-${read.rule}`, reason: read.reason, reservation: null, servers: [] };
  const project = read?.project;
  const route = source.route(project, labels);
  const { summary, answers } = source.explain(project, labels);
  const asked = { project: project?.url ?? null, servers: answers };
  if (route.kind === 'refused') return { ...asked, open: false, code: route.code, reason: route.reason, reservation: null };
  const prospect = source.prospect(project, labels);
  const reservation = prospect.kind === 'held-for-class' ? prospect.reservation : null;
  const reason = 'reason' in prospect ? prospect.reason : sentence(summary);
  return { ...asked, open: prospect.kind === 'open', code: prospect.kind, reason, reservation };
}

function sentence(summary: string): string {
  return /[.!?]$/.test(summary) ? summary : `${summary}.`;
}
