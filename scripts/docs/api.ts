/** Routes and codes of `/api/v1`, from the document and the tables that the program serves and uses. */
import { createAdminRoutes } from '../../src/http/operators/admin-routes.ts';
import { ANSWER_MEANINGS, OTHER_MEANINGS, REFUSAL_CODES } from '../../src/http/server/api-codes.ts';
import { createApiRoutes } from '../../src/http/operators/api-routes.ts';
import { createHistoryRoutes } from '../../src/http/operators/history-routes.ts';
import { createRehearsalRoutes } from '../../src/http/operators/rehearsal-routes.ts';
import { createReplicaRoutes } from '../../src/http/operators/replica-routes.ts';
import { createReservationRoutes } from '../../src/http/operators/reservation-routes.ts';
import { createFleetRoutes } from '../../src/http/operators/fleet-routes.ts';
import { createSessionRoutes } from '../../src/http/operators/session-routes.ts';
import { createApi } from '../../src/http/server/openapi.ts';
import { createRegisterRoutes } from '../../src/http/registration/register-routes.ts';
import { createClassesApi } from '../../src/http/clients/classes-api.ts';
import { createSessionsApi } from '../../src/http/clients/sessions-api.ts';
import { listItem } from './layout.ts';
import { unused } from './unused.ts';

interface Operation {
  readonly summary?: string;
  readonly security?: readonly Readonly<Record<string, unknown>>[];
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const ACCESS = ['Everyone', 'Readers', 'Holders of a token', 'Simulation servers'] as const;

export async function apiLists(): Promise<string> {
  const operations = await allOperations();
  const routes = ACCESS.map((access) => {
    const items = operations.filter(({ operation }) => accessOf(operation) === access);
    return [
      `### ${access}`,
      '',
      ...items.map(({ name, operation }) => listItem(`\`${name}\`: ${operation.summary ?? ''}.`)),
      '',
    ].join('\n');
  });
  const refusals = Object.entries(REFUSAL_CODES).map(([code, { status, meaning }]) =>
    listItem(`\`${code}\` (${status}): ${meaning}`),
  );
  return [
    '## Routes',
    ...routes,
    '## Codes of refusals',
    [...refusals, ''].join('\n'),
    '## Codes of answers',
    'What one server answers to a session request, in `/api/v1/explain` and in decisions.',
    [...meanings(ANSWER_MEANINGS), ''].join('\n'),
    '## Other codes',
    [...meanings(OTHER_MEANINGS), ''].join('\n'),
  ]
    .join('\n\n')
    .replace(/\n{3,}/g, '\n\n');
}

function meanings(codes: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(codes).map(([code, meaning]) => listItem(`\`${code}\`: ${meaning}`));
}

async function allOperations(): Promise<readonly { readonly name: string; readonly operation: Operation }[]> {
  const groups = [
    createSessionsApi(unused),
    createApiRoutes(unused),
    createHistoryRoutes(unused),
    createReplicaRoutes(unused),
    createAdminRoutes(unused),
    createFleetRoutes(unused),
    createSessionRoutes(unused),
    createReservationRoutes(unused),
    createRehearsalRoutes(unused),
    createClassesApi(unused),
    createRegisterRoutes(unused).api,
  ];
  const response = await createApi({ version: '', groups }).request('/api/v1/openapi.json');
  const { paths } = (await response.json()) as Document;
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
  );
}

function accessOf({ security }: Operation): (typeof ACCESS)[number] {
  if (security === undefined) return 'Everyone';
  if (security.some((alternative) => Object.hasOwn(alternative, 'registration'))) return 'Simulation servers';
  return security.some((alternative) => Object.keys(alternative).length === 0) ? 'Readers' : 'Holders of a token';
}
