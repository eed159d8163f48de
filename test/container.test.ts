/** Dockerfile, compose.yml and the Kubernetes manifests as far as they can be judged without a container engine: what is copied exists, ports and names match, and nothing runs with more rights than it needs. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { loadConfiguration } from '../src/config/load.ts';
import { variableNames } from '../src/config/variables.ts';
import { createHealthRoutes } from '../src/http/health.ts';
import { temporary } from './support/start-program.ts';

const root = join(import.meta.dirname, '..');
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
/** The stage that becomes the image. */
const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
const compose = readFileSync(join(root, 'compose.yml'), 'utf8');

test('everything that the Dockerfile copies from here exists', () => {
  const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) => paths.split(' '));
  assert.ok(sources.length > 8);
  const imported = [...dockerfile.matchAll(/^COPY --from=build \/build\/(\S+) (\S+)$/gm)].map(([, from, to]) => [from, to]);
  assert.deepEqual(imported, [
    ['dist/program', 'dist/program'],
    ['dist/web', 'dist/web'],
  ]);
  for (const source of sources) {
    const [start = '', end = ''] = basename(source).split('*');
    const found = readdirSync(join(root, dirname(source))).some((name) => name.startsWith(start) && name.endsWith(end));
    assert.ok(found, source);
  }
});

test('the image has all that the package has', () => {
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: readonly string[] };
  for (const path of files.filter((path) => !/^docs$|\.md$|\.d\.ts$/.test(path)))
    assert.ok(
      [`COPY ${path}`, `COPY --from=build /build/${path}`].some((copy) =>
        last.includes(`\n${copy} ${path.replace(/[^/]*\*.*$/, '')}\n`),
      ),
      path,
    );
});

test('the image runs without root and says whether it lives', () => {
  assert.match(last, /^USER node$/m);
  assert.match(last, /^HEALTHCHECK [\s\S]*\/livez/m);
  assert.ok(last.indexOf('\nRUN ') < last.indexOf('\nUSER '), 'nothing is done as root after the user is set');
  assert.doesNotMatch(last, /^ADD /m);
});

test('compose gives it a read-only root, no capability and no new privileges', () => {
  for (const line of [
    'read_only: true',
    'cap_drop: [ALL]',
    "security_opt: ['no-new-privileges:true']",
    'user: node',
    'restart: always',
  ])
    assert.match(compose, new RegExp(`^ {4}${line.replace(/[[\]]/g, '\\$&')}$`, 'm'));
});

test('files that are not in the image do not reach the builder either', () => {
  const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
  for (const path of ['.git', 'node_modules', 'dist', 'log', 'state']) assert.ok(ignored.includes(path), path);
});

test('the ports that are said to reach the gateway are accepted, and clients are sent to the one that is published', async (t) => {
  const text =
    /^"gateway": \{\n[\s\S]*?^\}$/m.exec(readFileSync(join(root, 'docs', 'how-to', 'run-in-a-container.md'), 'utf8'))?.[0] ?? '';
  const path = join(temporary(t), 'session.json');
  writeFileSync(path, `{"simulationServers": [], ${text}}`);
  const result = await loadConfiguration(path);
  assert.ok(result.kind === 'loaded', text);
  const { port, publicPort, redirectFrom } = result.settings.gateway;
  assert.equal(publicPort, 443);
  // No user inside has the capability for lower ports.
  assert.ok(port >= 1024 && (redirectFrom ?? 0) >= 1024);
  for (const published of [`'443:${port}'`, `'80:${redirectFrom ?? ''}'`, '"publicPort": 443'])
    assert.ok(compose.includes(published), published);
});

test('the port that the health check asks at is the one that is published and named', () => {
  const asked = [...dockerfile.matchAll(/http:\/\/127\.0\.0\.1:(\d+)\/livez/g)].map(([, port]) => port);
  assert.deepEqual(asked, ['1999']);
  assert.match(compose, /127\.0\.0\.1:1999:1999/);
  assert.match(compose, /"port" stays 1999/);
});

test('image and compose start the demo, publish its ports, and log to stdout', () => {
  const read = parse(compose) as { services: Record<string, ComposeService> };
  const [service] = Object.values(read.services);
  assert.ok(service !== undefined);
  const command = ['demo', '--listen', '0.0.0.0', '--server', 'localhost'];
  assert.ok(dockerfile.includes(`\nCMD ${JSON.stringify(command).replaceAll(',', ', ')}\n`));
  // A "command" here would be joined with that of the operator's own file by podman-compose.
  assert.equal(service.command, undefined);
  const names = variableNames();
  for (const name of Object.keys(service.environment)) assert.ok(names.has(name), name);
  assert.match(dockerfile, /^ENV SESSION_SERVER_LOG_TO=stdout$/m);
  const { port, maxConnections } = json('config/simulation/demo.json') as { port: number; maxConnections: number };
  // Five simulation servers, each with a port of its own and one for each session.
  const range = `${port}-${port + 5 * (maxConnections + 1) - 1}`;
  assert.ok(service.ports.includes(`127.0.0.1:${range}:${range}`), range);
});

test('the Kubernetes manifests belong together: names, labels, ports, probes, volumes, variables', async (t) => {
  const { resources } = parse(text('deploy/kubernetes/kustomization.yaml')) as { resources: string[] };
  const documents = resources.flatMap((name) =>
    parseAllDocuments(text(`deploy/kubernetes/${name}`)).map((document) => {
      assert.deepEqual(document.errors, []);
      return document.toJS() as Manifest;
    }),
  );
  const of = (kind: string) => documents.find((document) => document.kind === kind);
  const { spec: deployment, metadata } = of('Deployment') as Deployment;
  const { template } = deployment;
  const { spec: pod } = template;
  const [container] = pod.containers;
  assert.ok(container !== undefined);
  assert.deepEqual([deployment.replicas, deployment.strategy.type, pod.enableServiceLinks], [1, 'Recreate', false]);
  assert.deepEqual(template.metadata.labels, deployment.selector.matchLabels);

  const { spec: service } = of('Service') as Service;
  assert.deepEqual(service.selector, template.metadata.labels);
  const [http] = container.ports;
  assert.deepEqual(
    [service.ports[0]?.targetPort, container.livenessProbe.httpGet, container.readinessProbe.httpGet],
    ['http', { path: '/livez', port: 'http' }, { path: '/readyz', port: 'http' }],
  );
  const routes = createHealthRoutes({ isReady: () => true, isStopping: () => false });
  for (const path of ['/livez', '/readyz']) assert.equal((await routes.request(path)).status, 200);
  const [rule] = (of('Ingress') as Ingress).spec.rules;
  assert.deepEqual(rule?.http.paths[0]?.backend.service, { name: metadata.name, port: { name: service.ports[0]?.name } });

  const volumes = pod.volumes.map(({ name }) => name).sort();
  assert.deepEqual(container.volumeMounts.map(({ name }) => name).sort(), volumes);
  assert.equal(
    pod.volumes.find(({ configMap }) => configMap !== undefined)?.configMap?.name,
    (of('ConfigMap') as Manifest).metadata.name,
  );
  assert.equal(
    pod.volumes.find((volume) => volume.persistentVolumeClaim !== undefined)?.persistentVolumeClaim?.claimName,
    (of('PersistentVolumeClaim') as Manifest).metadata.name,
  );
  assert.equal(pod.securityContext.runAsNonRoot, true);
  assert.deepEqual(container.securityContext.capabilities, { drop: ['ALL'] });
  assert.equal(container.securityContext.readOnlyRootFilesystem, true);
  assert.equal(container.image, `session-server:${(json('package.json') as { version: string }).version}`);

  const names = variableNames();
  for (const { name } of container.env) assert.ok(names.has(name), name);
  const path = join(temporary(t), 'session.json');
  const { data } = of('ConfigMap') as unknown as { data: Record<string, string> };
  writeFileSync(path, data['session.json'] ?? '');
  const env = Object.fromEntries(
    container.env.map(({ name, value = 'a-token-of-sufficient-length-for-a-test' }) => [name, value]),
  );
  const result = await loadConfiguration(path, { env });
  assert.ok(result.kind === 'loaded', JSON.stringify(result));
  assert.deepEqual([result.settings.port, result.warnings], [http?.containerPort, []]);
});

test('the manifests for several replicas: each has a name, an address that the others reach, and the same store', async (t) => {
  const load = async (path: string, env: Readonly<Record<string, string>>) => {
    const result = await loadConfiguration(path, { env });
    assert.ok(result.kind === 'loaded', JSON.stringify(result));
    return result.settings;
  };
  const withDefaults = text('deploy/compose-replicas.yml').replaceAll(/\$\{\w+:-(.*?)\}/g, '$1');
  const { services } = parse(withDefaults, { merge: true }) as { services: Readonly<Record<string, Replica>> };
  for (const name of ['a', 'b', 'c']) {
    const { command, environment, volumes } = services[name] ?? assert.fail(name);
    const path = join(root, String(command[1]).replace('/etc/session-server', 'config/session'));
    const { listen, mail, replicas, stateDir } = await load(path, environment);
    assert.deepEqual([replicas?.name, replicas?.address, replicas?.store], [name, `http://${name}:1999`, 'redis://store:6379/0']);
    assert.equal(listen, '0.0.0.0', 'the other containers reach it');
    assert.ok(volumes.includes(stateDir), 'as a volume, the folder belongs to the user that it has in the image');
    assert.equal(mail, undefined);
    assert.ok(JSON.stringify(services['proxy']?.command).includes(`${name}:1999`));
  }
  // Without a password, a store that is in its protected mode accepts nothing from other machines.
  assert.match(String(services['store']?.command), /,--protected-mode,no$/);

  const documents = parseAllDocuments(text('deploy/kubernetes-replicas/replicas.yaml')).map((one) => one.toJS() as Manifest);
  const [pods, service] = documents as [Deployment, Service];
  const [container] = pods.spec.template.spec.containers;
  assert.ok(container !== undefined);
  const env = Object.fromEntries(container.env.map(({ name, value = 'session-server-0-of-sufficient-length' }) => [name, value]));
  const filled = Object.entries(env).map(([name, value]) => [
    name,
    value.replaceAll(/\$\((\w+)\)/g, (_, other: string) => env[other] ?? ''),
  ]);
  const path = join(temporary(t), 'session.json');
  writeFileSync(path, '{"simulationServers": ["sim1:2000"], "portRewrite": false}');
  const { replicas } = await load(path, Object.fromEntries(filled) as Readonly<Record<string, string>>);
  assert.ok(replicas !== undefined);
  assert.equal(replicas.address, `http://${replicas.name}.${service.metadata.name}:1999`);
  const store = parseAllDocuments(text('deploy/kubernetes-replicas/store.yaml')).map((one) => one.toJS() as Manifest);
  assert.equal(replicas.store, `redis://${store.at(-1)?.metadata.name}:6379/0`);
  assert.deepEqual(pods.spec.template.metadata.labels, service.spec.selector);
});

interface ComposeService {
  readonly command?: unknown;
  readonly environment: Readonly<Record<string, string>>;
  readonly ports: readonly string[];
}

interface Replica {
  readonly command: readonly unknown[];
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

interface Deployment extends Manifest {
  readonly spec: {
    readonly replicas: number;
    readonly strategy: { readonly type: string };
    readonly selector: { readonly matchLabels: unknown };
    readonly template: { readonly metadata: { readonly labels: unknown }; readonly spec: Pod };
  };
}

interface Pod {
  readonly enableServiceLinks: boolean;
  readonly securityContext: { readonly runAsNonRoot: boolean };
  readonly containers: readonly Container[];
  readonly volumes: readonly {
    readonly name: string;
    readonly configMap?: { readonly name: string };
    readonly persistentVolumeClaim?: { readonly claimName: string };
  }[];
}

interface Container {
  readonly image: string;
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly livenessProbe: { readonly httpGet: unknown };
  readonly readinessProbe: { readonly httpGet: unknown };
  readonly volumeMounts: readonly { readonly name: string }[];
  readonly securityContext: { readonly capabilities: unknown; readonly readOnlyRootFilesystem: boolean };
}

interface Service extends Manifest {
  readonly spec: {
    readonly selector: unknown;
    readonly ports: readonly { readonly name: string; readonly targetPort: string }[];
  };
}

interface Ingress extends Manifest {
  readonly spec: {
    readonly rules: readonly {
      readonly http: { readonly paths: readonly { readonly backend: { readonly service: unknown } }[] };
    }[];
  };
}

function text(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

function json(path: string): unknown {
  return JSON.parse(text(path));
}
