/** Examples of the bodies in the description of the API, made from their schemas, so that they cannot differ from them. */
import type { RefusalView } from '../../core/views/monitor-view.ts';
import { REFUSAL_CODES } from './api-codes.ts';
import type { ApiBody, ApiDocument, ApiOperation, ApiSchema } from '../../core/views/api-document.ts';

/** The document with an example of every body in JSON. */
export function withExamples(document: ApiDocument): ApiDocument {
  const { schemas } = document.components;
  const body = (of: ApiBody, status = ''): ApiBody => ({
    ...of,
    ...(of.content !== undefined && {
      content: mapValues(of.content, (content, type) =>
        type === 'application/json' && content.schema !== undefined
          ? {
              ...content,
              example: refusalExample(content.schema, of.description, status) ?? exampleOf(content.schema, schemas),
            }
          : content,
      ),
    }),
  });
  const operation = (of: ApiOperation): ApiOperation => ({
    ...of,
    ...(of.requestBody !== undefined && { requestBody: body(of.requestBody) }),
    responses: mapValues(of.responses, body),
  });
  return { ...document, paths: mapValues(document.paths, (methods) => mapValues(methods, operation)) };
}

/** A value that the schema accepts. `name`: of the property, for texts and times without an example of their own. */
export function exampleOf(schema: ApiSchema, schemas: ApiDocument['components']['schemas'], name = ''): unknown {
  if (schema.example !== undefined) return schema.example;
  if (schema.const !== undefined) return schema.const;
  if (schema.$ref !== undefined) return exampleOf(schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}, schemas, name);
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.default !== undefined) return schema.default;
  const [choice] = schema.anyOf ?? schema.oneOf ?? [];
  if (choice !== undefined) return exampleOf(choice, schemas, name);
  const type = typeof schema.type === 'string' ? schema.type : schema.type?.[0];
  if (type === 'object') return objectExample(schema, schemas);
  if (type === 'array') return [exampleOf(schema.items ?? {}, schemas, name)];
  return plainExample(schema, type, name);
}

function plainExample(schema: ApiSchema, type: string | undefined, name: string): unknown {
  const describes = (text: string) => schema.description?.includes(text) === true;
  if (type === 'boolean') return true;
  if (type === 'integer' || type === 'number') return describes('since the epoch') ? TIME : Math.max(schema.minimum ?? 0, 12);
  if (type !== 'string') return null;
  return schema.format === 'date-time' || describes('ISO 8601') ? ISO_TIME : (TEXTS[name] ?? 'text');
}

/** The first code that the description of the answer names, or the first with this status. */
function refusalExample({ $ref }: ApiSchema, description = '', status: string): RefusalView | undefined {
  if ($ref !== '#/components/schemas/Refusal') return undefined;
  const codes = Object.entries(REFUSAL_CODES);
  const [code, described] =
    codes.find(([name]) => description.includes(`\`${name}\``)) ??
    codes.find(([, { status: of }]) => String(of) === status) ??
    [];
  return code === undefined || described === undefined ? undefined : { code, reason: described.meaning };
}

const ISO_TIME = '2026-11-22T15:18:24.000Z';
const TIME = Date.parse(ISO_TIME) / 1000;
/** By the name of the property. */
const TEXTS: Readonly<Record<string, string>> = {
  reason: 'It has the most room.',
  availability: 'A session can start now.',
  monitorUrl: 'https://sim1.example.org/2000/monitor',
  by: 'ada',
  owner: 'ada',
  id: 'pXb7uV0h',
  ticket: 'u8Zq3fQx',
  notifier: 'email',
  title: 'Robotics 101',
  code: 'ROBO101',
  room: 'B12',
  project: 'https://github.com/owner/name',
  allowedRepositories: 'https://github.com/owner/',
  blockedRepositories: 'https://github.com/owner/name/',
  openapi: '3.1.0',
  end: ISO_TIME,
};

function objectExample({ properties, additionalProperties }: ApiSchema, schemas: ApiDocument['components']['schemas']): object {
  if (properties === undefined && typeof additionalProperties === 'object')
    return { room: exampleOf(additionalProperties, schemas, 'room') };
  return mapValues(properties ?? {}, (property, name) => exampleOf(property, schemas, name));
}

function mapValues<A, B>(of: Readonly<Record<string, A>>, change: (value: A, name: string) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(of).map(([name, value]) => [name, change(value, name)]));
}
