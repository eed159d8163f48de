/** @jsxRuntime automatic @jsxImportSource preact */
/** A schema in words, and the fields of an object. */
import { Fragment } from 'preact';
import type { ApiSchema } from '../../core/views/api-document.ts';

/** A text in which `code` is marked as in Markdown. */
export function Text({ of }: { readonly of: string }) {
  return <>{of.split('`').map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}</>;
}

export function schemaId(name: string): string {
  return `schema-${name}`;
}

/** Such as *list of Server*, with a link to a schema that has a name. */
export function TypeOf({ schema }: { readonly schema: ApiSchema }) {
  const { $ref, type, items, anyOf, oneOf, const: fixed } = schema;
  const choices = anyOf ?? oneOf;
  if ($ref !== undefined) {
    const name = $ref.split('/').at(-1) ?? '';
    return <a href={`#${schemaId(name)}`}>{name}</a>;
  }
  if (choices !== undefined)
    return (
      <>
        {choices.map((choice, index) => (
          <Fragment key={index}>
            {index > 0 && ' or '}
            <TypeOf schema={choice} />
          </Fragment>
        ))}
      </>
    );
  if (items !== undefined)
    return (
      <>
        list of <TypeOf schema={items} />
      </>
    );
  if (fixed !== undefined) return <code>{JSON.stringify(fixed)}</code>;
  if (schema.enum !== undefined) return <>{schema.enum.map(String).join(', ')}</>;
  return <>{typeof type === 'string' ? type : (type?.join(' or ') ?? 'any value')}</>;
}

/** Nothing for a schema that is not an object. */
export function Fields({ of: { properties, required = [] } }: { readonly of: ApiSchema }) {
  if (properties === undefined) return null;
  return (
    <dl>
      {Object.entries(properties).map(([name, schema]) => (
        <Fragment key={name}>
          <dt>
            <code>{name}</code> <TypeOf schema={schema} />
            {!required.includes(name) && ', optional'}
          </dt>
          <dd>
            <Text of={schema.description ?? ''} />
          </dd>
        </Fragment>
      ))}
    </dl>
  );
}
