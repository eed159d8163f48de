/** @jsxRuntime automatic @jsxImportSource preact */
/** The description of the API as a page: every operation by its group, then the schemas. */
import type { ComponentChildren } from 'preact';
import type { ApiBody, ApiDocument, ApiOperation, ApiParameter } from '../../core/views/api-document.ts';
import { Fields, schemaId, Text, TypeOf } from './schema.tsx';

export function ApiReference({ document, styles }: { readonly document: ApiDocument; readonly styles: string }) {
  const { info, tags, components } = document;
  const groups = tags.map((tag) => ({ ...tag, operations: operationsOf(document, tag.name) }));
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`API of the ${info.title.toLowerCase()}`}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href={styles} />
      </head>
      <body>
        <header>
          <h1>{`API of the ${info.title.toLowerCase()}`}</h1>
          <p>
            <Text of={info.description} />
          </p>
          <p>
            {`Version ${info.version}. `}
            <a href="api/v1/openapi.json">The same in OpenAPI 3.1</a>, for tools.
          </p>
        </header>
        <Contents groups={groups} />
        <main>
          {groups.map((group) => (
            <GroupSection key={group.name} {...group} />
          ))}
          <Schemas of={components.schemas} />
        </main>
      </body>
    </html>
  );
}

interface Group {
  readonly name: string;
  readonly description: string;
  readonly operations: readonly NamedOperation[];
}

function Contents({ groups }: { readonly groups: readonly Group[] }) {
  return (
    <nav aria-label="Operations">
      <ul>
        {groups.map(({ name, operations }) => (
          <li key={name}>
            <a href={`#${groupId(name)}`}>{name}</a>
            <ul>
              {operations.map(({ operation }) => (
                <li key={operation.operationId}>
                  <a href={`#${operation.operationId}`}>{operation.operationId}</a>
                </li>
              ))}
            </ul>
          </li>
        ))}
        <li>
          <a href="#schemas">schemas</a>
        </li>
      </ul>
    </nav>
  );
}

function GroupSection({ name, description, operations }: Group) {
  return (
    <section id={groupId(name)} aria-labelledby={`${groupId(name)}-title`}>
      <h2 id={`${groupId(name)}-title`}>{name}</h2>
      <p>{description}</p>
      {operations.map((one) => (
        <Operation key={one.operation.operationId} {...one} />
      ))}
    </section>
  );
}

function Schemas({ of }: { readonly of: ApiDocument['components']['schemas'] }) {
  return (
    <section id="schemas" aria-labelledby="schemas-title">
      <h2 id="schemas-title">schemas</h2>
      {Object.entries(of).map(([name, schema]) => (
        <article key={name} id={schemaId(name)}>
          <h3>{name}</h3>
          <Fields of={schema} />
        </article>
      ))}
    </section>
  );
}

interface NamedOperation {
  readonly method: string;
  readonly path: string;
  readonly operation: ApiOperation;
}

function Operation({ method, path, operation }: NamedOperation) {
  const { operationId, summary, security, parameters = [], requestBody, responses } = operation;
  return (
    <article id={operationId}>
      <h3>
        <code>
          <span class={method}>{method.toUpperCase()}</span> {path}
        </code>
      </h3>
      <p>
        <Text of={`${summary}. ${accessOf(security)}`} />
      </p>
      {parameters.length > 0 && (
        <Part title="Parameters">
          <dl>
            {parameters.map((parameter) => (
              <Parameter key={parameter.name} {...parameter} />
            ))}
          </dl>
        </Part>
      )}
      {requestBody !== undefined && (
        <Part title={requestBody.required === true ? 'Body' : 'Body, may be left out'}>
          <Content of={requestBody} />
        </Part>
      )}
      <Part title="Answers">
        {Object.entries(responses).map(([status, response]) => (
          <details key={status} open={status.startsWith('2')}>
            <summary>
              <strong>{status}</strong> <Text of={response.description ?? ''} />
            </summary>
            <Content of={response} />
          </details>
        ))}
      </Part>
    </article>
  );
}

function Part({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <>
      <h4>{title}</h4>
      {children}
    </>
  );
}

function Parameter({ name, in: place, required, description, schema = {} }: ApiParameter) {
  return (
    <>
      <dt>
        <code>{name}</code> <TypeOf schema={schema} />
        {required !== true && ', optional'}
      </dt>
      <dd>
        {`In the ${place}. `}
        <Text of={description ?? schema.description ?? ''} />
      </dd>
    </>
  );
}

function Content({ of: { content = {} } }: { readonly of: ApiBody }) {
  return (
    <>
      {Object.entries(content).map(([type, { schema = {}, example }]) => (
        <div key={type} class="content">
          <p>
            <code>{type}</code>: <TypeOf schema={schema} />
          </p>
          {schema.$ref === undefined && <Fields of={schema} />}
          {example !== undefined && (
            // Long lines are scrolled, with the keyboard too.
            <pre tabIndex={0}>
              <code>{JSON.stringify(example, undefined, 2)}</code>
            </pre>
          )}
        </div>
      ))}
    </>
  );
}

function operationsOf({ paths }: ApiDocument, tag: string): readonly NamedOperation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { tags }]) => tags.includes(tag))
      .map(([method, operation]) => ({ method, path, operation })),
  );
}

function groupId(name: string): string {
  return `group-${name.replaceAll(' ', '-')}`;
}

function accessOf(security: ApiOperation['security'] = []): string {
  if (security.length === 0) return 'Everyone may do this.';
  if (security.some((way) => Object.keys(way).length === 0)) return 'With `monitor.access: "token"` it needs a token.';
  return security.some((way) => 'registration' in way) ? 'It needs the token of `registration.token`.' : 'It needs a token.';
}
