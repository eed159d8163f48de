import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { ServerState } from './fleet.ts';
import type { Candidates } from './candidates.ts';
import { parseProject, type Project } from './project.ts';
import { Router, compete, readRepositoryPrefix, type Labels, type RoutedServer } from './routing.ts';

function project(text: string): Project {
  const result = parseProject(text.startsWith('https://') ? text : `https://github.com/${text}`);
  assert.equal(result.kind, 'project');
  return result.project;
}

function server(id: string, options: Partial<RoutedServer> = {}): RoutedServer {
  return { id, state: 'available', load: 20, shareIdleTime: 0, labels: {}, ...options };
}

function router(...servers: RoutedServer[]): Router {
  const result = new Router();
  for (const one of servers) result.update(one);
  return result;
}

function candidates(fleet: Router, wanted?: Project, labels?: Labels): Candidates {
  const route = fleet.route(wanted, labels);
  assert.equal(route.kind, 'candidates');
  return route.candidates;
}

const tiers = (...args: Parameters<typeof candidates>) => candidates(...args).tiers;

function refusal(fleet: Router, wanted?: Project, labels?: Labels): { code: string; reason: string } {
  const route = fleet.route(wanted, labels);
  assert.equal(route.kind, 'refused');
  return route;
}

const webots = project('cyberbotics/webots/blob/released/projects/languages/python/worlds/example.wbt');
const alice = project('alice/sim/blob/main/worlds/w.wbt');

describe('tiers', () => {
  const fleet = router(
    server('open'),
    server('shared', { allowedRepositories: ['github.com/other'], shareIdleTime: 50 }),
    server('dedicated', { allowedRepositories: ['github.com/cyberbotics'] }),
    server('closed', { allowedRepositories: ['github.com/other'] }),
    server('blocking', { blockedRepositories: ['github.com/cyberbotics/webots'] }),
  );

  test('servers dedicated to the repository come first, then those open to all, then those that share idle time', () => {
    assert.deepEqual(tiers(fleet, webots), [['dedicated'], ['open'], ['shared']]);
    assert.deepEqual(tiers(fleet, alice), [['open', 'blocking'], ['shared']]);
  });

  test('without a project every available server is a candidate, as in the original', () => {
    assert.deepEqual(tiers(fleet), [['open', 'shared', 'dedicated', 'closed', 'blocking']]);
  });

  test('only available servers are candidates; the others are a reason to wait, not to refuse', () => {
    const states: ServerState[] = ['unknown', 'full', 'draining', 'down'];
    const few = router(...states.map((state) => server(state, { state })), server('up'));
    assert.deepEqual(tiers(few, alice), [['up']]);
    few.remove('up');
    assert.deepEqual(tiers(few, alice), []);
    assert.deepEqual(tiers(few), []);
    assert.deepEqual(few.eligible(alice), states);
  });

  test('idle time is shared strictly below shareIdleTime, and not while the load is not known', () => {
    const { load: _, ...silent } = server('s', { allowedRepositories: [], shareIdleTime: 50 });
    const sharing = (load?: number) => router({ ...silent, ...(load !== undefined && { load }) });
    assert.deepEqual(tiers(sharing(49.9), alice), [['s']]);
    assert.deepEqual(tiers(sharing(50), alice), []);
    assert.deepEqual(tiers(sharing(), alice), []);
  });

  test('a blocked repository is not sent there, not even when it is allowed too', () => {
    const rules = {
      allowedRepositories: ['github.com/cyberbotics'],
      blockedRepositories: ['github.com/cyberbotics/webots/released/projects'],
    };
    const one = router(server('s', { ...rules, shareIdleTime: 100 }));
    assert.equal(one.admittance('s', webots), 'blocked');
    assert.equal(one.admittance('s', project('cyberbotics/webots/blob/released/resources/w.wbt')), 'dedicated');
  });
});

describe('prefixes', () => {
  const matches = (prefix: string, wanted: Project) =>
    router(server('s', { allowedRepositories: [prefix] })).admittance('s', wanted) === 'dedicated';

  for (const prefix of [
    'github.com',
    'https://github.com/',
    'github.com/cyberbotics',
    'github.com/cyberbotics/',
    'https://github.com/cyberbotics',
    'http://GitHub.com/CyberBotics/',
    ' github.com/cyberbotics/webots ',
    'https://github.com/cyberbotics/webots.git',
    'webots://github.com/cyberbotics/webots',
    'https://github.com/cyberbotics/webots/blob/released',
    'https://github.com/cyberbotics/webots/tree/released/projects/',
    'github.com/cyberbotics/webots/released/projects/languages/python/worlds/example.wbt',
  ])
    test(`${prefix} covers the project`, () => assert.equal(matches(prefix, webots), true));

  for (const prefix of [
    'github.com/cyber',
    'github.com/cyberbotics/web',
    'github.com/cyberbotics/webots-',
    'github.com/cyberbotics/webots/blob/Released',
    'github.com/cyberbotics/webots/released/project',
    'gitlab.com/cyberbotics',
    'cyberbotics/webots',
    'github.com.evil.org/cyberbotics',
    'https://',
    '*',
    'github.com/*',
    'github.com//cyberbotics',
    'github.com/cyberbotics/../webots',
    'user@github.com/cyberbotics',
  ])
    test(`${prefix} does not`, () => assert.equal(matches(prefix, webots), false));

  test('a prefix ends at a path boundary', () => {
    assert.equal(matches('github.com/cyberbotics', project('cyberbotics-evil/webots')), false);
    assert.equal(matches('github.com/cyberbotics/webots', project('cyberbotics/webots2')), false);
    assert.equal(matches('github.com/cyberbotics/webots/released', project('cyberbotics/webots/tree/released2')), false);
  });

  test('a prefix of a version or a folder does not cover the repository as a whole', () => {
    assert.equal(matches('github.com/cyberbotics/webots/released', project('cyberbotics/webots')), false);
  });

  test('a text that cannot be a prefix is recognized, so that the configuration can report it', () => {
    for (const text of ['', 'https://', 'cyberbotics', 'github.com/a b', 'github.com/a?b', 'github.com/a%2e', 'a:b'])
      assert.equal(readRepositoryPrefix(text), undefined, text);
    assert.equal(readRepositoryPrefix('https://GitHub.com/A/B.git/'), 'github.com/a/b');
  });

  test('a list of impossible prefixes admits no project, rather than all', () => {
    assert.equal(router(server('s', { allowedRepositories: ['webots'] })).admittance('s', webots), 'other-repository');
  });
});

describe('refusals', () => {
  test('an empty fleet has a code of its own', () => {
    assert.equal(refusal(new Router()).code, 'no-servers');
    assert.equal(refusal(new Router(), webots).code, 'no-servers');
  });

  test('a project that no server can ever take is refused at once, with the rule and the repository named', () => {
    const rules = { allowedRepositories: ['github.com/cyberbotics'] };
    const fleet = router(server('a', rules), server('b', { ...rules, state: 'down' }));
    const { code, reason } = refusal(fleet, alice);
    assert.equal(code, 'no-server-allows-repository');
    assert.match(
      reason,
      /^None of the 2 simulation servers allows projects from github\.com\/alice\/sim; run one from an allowed repository/,
    );
    assert.equal(fleet.route(webots).kind, 'candidates');
  });

  test('a project that only a server that is down may run waits for it', () => {
    const fleet = router(
      server('a', { state: 'down', allowedRepositories: ['github.com/alice'] }),
      server('b', { allowedRepositories: ['github.com/bob'] }),
    );
    assert.deepEqual(tiers(fleet, alice), []);
  });

  test('a repository that all servers block is refused in words that say so', () => {
    const rules = { blockedRepositories: ['github.com/alice'] };
    assert.match(
      refusal(router(server('a', rules)), alice).reason,
      /^The simulation server blocks projects from github\.com\/alice\/sim/,
    );
    assert.match(refusal(router(server('a', rules), server('b', rules)), alice).reason, /^All 2 simulation servers block/);
  });

  test('labels that no server has, alone or together, are refused', () => {
    const fleet = router(server('a', { labels: { room: 'B12', gpu: 'yes' } }), server('b', { labels: { room: 'C1' } }));
    assert.deepEqual(tiers(fleet, undefined, { room: 'B12' }), [['a']]);
    assert.deepEqual(tiers(fleet, undefined, {}), [['a', 'b']]);
    assert.equal(refusal(fleet, undefined, { room: 'B13' }).code, 'no-server-has-labels');
    assert.equal(refusal(fleet, undefined, { room: 'C1', gpu: 'yes' }).code, 'no-server-has-labels');
    assert.equal(refusal(fleet, alice, { ['__proto__']: 'x', toString: 'y' }).code, 'no-server-has-labels');
    assert.match(refusal(fleet, undefined, { '<b>': 'x\ny' }).reason, /label \\u\{3c\}b\\u\{3e\} = x\\u\{a\}y/);
  });

  test('a repository that only servers with the labels refuse is refused with the advice to leave the labels out', () => {
    const only = { labels: { room: 'B12' }, allowedRepositories: ['github.com/bob'] };
    const labels = { room: 'B12' };
    assert.deepEqual(refusal(router(server('a', only), server('b')), alice, labels), {
      kind: 'refused',
      code: 'no-server-allows-repository',
      reason:
        'The simulation server with room = B12 does not allow projects from github.com/alice/sim, but others may run them; leave the labels out, or run another project.',
    });
    assert.match(
      refusal(router(server('a', only), server('b', only), server('c')), alice, labels).reason,
      /^The 2 .* do not allow/,
    );
    const blocking = { labels, blockedRepositories: ['github.com/alice'] };
    assert.match(
      refusal(router(server('a', blocking), server('b')), alice, labels).reason,
      /^The simulation server with .* blocks/,
    );
    // Without the labels it would be refused as well.
    assert.match(
      refusal(router(server('a', only), server('b', only)), alice, labels).reason,
      /^None of the 2 .* ask the administrator/,
    );
  });

  test('labels that exist only on different servers are reported as on no server together', () => {
    const fleet = router(server('a', { labels: { room: 'B12' } }), server('b', { labels: { gpu: 'yes' } }));
    assert.match(
      refusal(fleet, undefined, { room: 'B12', gpu: 'yes' }).reason,
      /^No simulation server has all of the labels room = B12, gpu = yes; ask for fewer/,
    );
    assert.match(
      refusal(fleet, undefined, { room: 'X' }).reason,
      /^No simulation server has the label room = X; ask for another/,
    );
  });

  test('labels and repository are distinguished when both could be the reason', () => {
    const fleet = router(server('a', { labels: { room: 'B12' }, allowedRepositories: ['github.com/bob'] }), server('b'));
    assert.equal(refusal(fleet, alice, { room: 'B12' }).code, 'no-server-allows-repository');
    assert.equal(refusal(fleet, alice, { room: 'X' }).code, 'no-server-has-labels');
    // A client that is sent only the labels would leave them out without success.
    assert.equal(
      refusal(router(server('a', { allowedRepositories: [] })), alice, { room: 'X' }).code,
      'no-server-allows-repository',
    );
  });
});

describe('the same object until something changed', () => {
  const rules = { allowedRepositories: ['github.com/cyberbotics'], shareIdleTime: 50 };
  const fleet = () => router(server('a', rules), server('b'), server('c', { state: 'full' }));

  test('requests for the same servers share one candidates object', () => {
    const one = fleet();
    assert.equal(candidates(one), candidates(one));
    assert.equal(candidates(one, alice), candidates(one, project('bob/other')));
    assert.equal(candidates(one, webots), candidates(one, project('cyberbotics/other')));
    assert.notEqual(candidates(one, webots), candidates(one, alice));
  });

  test('a sample that crosses no border keeps it', () => {
    const one = fleet();
    const before = [candidates(one), candidates(one, webots), candidates(one, alice)];
    one.update(server('a', { ...rules, load: 49 }));
    one.update(server('b', { load: 94, labels: {} }));
    one.update(server('c', { state: 'down' }));
    assert.deepEqual(
      [candidates(one), candidates(one, webots), candidates(one, alice)].map((now, index) => now === before[index]),
      [true, true, true],
    );
  });

  test('a load that crosses shareIdleTime changes it for guests alone', () => {
    const one = fleet();
    const [all, own, guests] = [candidates(one), candidates(one, webots), candidates(one, alice)];
    assert.deepEqual(guests.tiers, [['b'], ['a']]);
    one.update(server('a', { ...rules, load: 50 }));
    assert.deepEqual(tiers(one, alice), [['b']]);
    assert.equal(candidates(one), all);
    assert.equal(candidates(one, webots), own);
  });

  test('transitions, new servers, removed ones and new rules change it', () => {
    const one = fleet();
    one.update(server('b', { state: 'draining' }));
    assert.deepEqual(tiers(one), [['a']]);
    one.update(server('d'));
    assert.deepEqual(tiers(one), [['a', 'd']]);
    one.remove('a');
    assert.deepEqual(tiers(one, webots), [['d']]);
    one.update(server('d', { blockedRepositories: ['github.com/cyberbotics'] }));
    one.update(server('b', { state: 'available', blockedRepositories: ['github.com/cyberbotics'] }));
    one.update(server('c', { state: 'full', blockedRepositories: ['github.com/cyberbotics'] }));
    assert.equal(refusal(one, webots).code, 'no-server-allows-repository');
  });

  test('a hundred thousand projects cost no memory of their own', () => {
    const one = fleet();
    const seen = new Set<Candidates>();
    for (let i = 0; i < 100_000; i += 1) {
      const { url, key, host, owner, name } = alice;
      seen.add(candidates(one, { url, key, host, owner, name, repository: `github.com/alice${i}/sim` }));
    }
    assert.equal(seen.size, 1);
  });

  test('routes that are used again and again stay cached, and the one used longest ago is dropped', () => {
    const one = new Router();
    const names = Array.from({ length: 300 }, (_, i) => `owner${i}`);
    for (const name of names) one.update(server(name, { allowedRepositories: [`github.com/${name}`] }));
    const favourite = project('owner0/sim');
    const [first, second] = [candidates(one, favourite), candidates(one, project('owner1/sim'))];
    for (const name of names) {
      assert.deepEqual(tiers(one, project(`${name}/sim`)), [[name]]);
      assert.equal(candidates(one, favourite), first);
    }
    assert.notEqual(candidates(one, project('owner1/sim')), second);
  });
});

test('two sets of candidates compete when a server is in both', () => {
  const a: Candidates = { tiers: [['x'], ['y']] };
  const b: Candidates = { tiers: [['z', 'y']] };
  const c: Candidates = { tiers: [['z']] };
  const none: Candidates = { tiers: [] };
  const answers = [a, b, c, none].map((one) => [a, b, c, none].map((other) => compete(one, other)));
  assert.deepEqual(answers, [
    [true, true, false, false],
    [true, true, true, false],
    [false, true, true, false],
    [false, false, false, false],
  ]);
});

const owners = ['alice', 'bob', 'cyberbotics'];
const anyProject = fc
  .tuple(fc.constantFrom(...owners), fc.constantFrom('x', 'y'), fc.constantFrom('main', 'v1'))
  .map(([o, n, v]) => project(`${o}/${n}/blob/${v}/worlds/w.wbt`));
const anyPrefix = fc.oneof(
  fc.constantFrom('github.com', 'nonsense'),
  fc.constantFrom(...owners).map((o) => `https://github.com/${o}/`),
  fc.tuple(fc.constantFrom(...owners), fc.constantFrom('x', 'y')).map((p) => `github.com/${p.join('/').toUpperCase()}`),
  fc.tuple(fc.constantFrom(...owners), fc.constantFrom('x', 'y')).map((p) => `github.com/${p.join('/')}/blob/v1`),
);
const anyServer = fc
  .record({
    id: fc.constantFrom('1', '2', '3', '4'),
    state: fc.constantFrom<ServerState>('available', 'available', 'full', 'down', 'draining', 'unknown'),
    load: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
    allowedRepositories: fc.option(fc.array(anyPrefix, { maxLength: 3 }), { nil: undefined }),
    blockedRepositories: fc.option(fc.array(anyPrefix, { maxLength: 2 }), { nil: undefined }),
    shareIdleTime: fc.constantFrom(0, 50),
    labels: fc.constantFrom<Labels>({}, { room: 'a' }, { room: 'b' }),
  })
  .map(({ load, allowedRepositories, blockedRepositories, ...rest }): RoutedServer => ({
    ...rest,
    ...(load !== undefined && { load }),
    ...(allowedRepositories && { allowedRepositories }),
    ...(blockedRepositories && { blockedRepositories }),
  }));

/**
 * docs/design/protocol.md, "Simulation servers" and the doc comments of the configuration, word for word, without any
 * index.
 */
function tierOf(one: RoutedServer, wanted: Project | undefined, labels: Labels): number | 'never' | 'not now' {
  const covers = (prefix: string) => {
    const plain = prefix.toLowerCase().replace('https://', '').replace('/blob', '').replace(/\/$/, '');
    const { host, owner, name, version = '' } = wanted ?? alice;
    return `${host}/${owner}/${name}/${version}/`.toLowerCase().startsWith(`${plain}/`);
  };
  if (Object.entries(labels).some(([name, value]) => one.labels[name] !== value)) return 'never';
  let tier = 0;
  if (wanted !== undefined) {
    if (one.blockedRepositories?.some(covers)) return 'never';
    if (one.allowedRepositories === undefined) tier = 1;
    else if (!one.allowedRepositories.some(covers)) {
      if (one.shareIdleTime === 0) return 'never';
      if (one.load === undefined || one.load >= one.shareIdleTime) return 'not now';
      tier = 2;
    }
  }
  return one.state === 'available' ? tier : 'not now';
}

test('after any history of the fleet, the route is what the rules say word for word', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 5, arbitrary: anyServer }, { weight: 1, arbitrary: fc.constantFrom('1', '2', '3', '4') }), {
        maxLength: 15,
      }),
      fc.array(fc.tuple(fc.option(anyProject, { nil: undefined }), fc.constantFrom<Labels>({}, { room: 'a' })), {
        minLength: 1,
        maxLength: 4,
      }),
      (history, requests) => {
        const fleet = new Router();
        const model = new Map<string, RoutedServer>();
        for (const event of history) {
          if (typeof event === 'string') {
            fleet.remove(event);
            model.delete(event);
          } else {
            fleet.update(event);
            model.set(event.id, event);
          }
          for (const [wanted, labels] of requests) {
            const says = [...model.values()].map((one) => ({ id: one.id, tier: tierOf(one, wanted, labels) }));
            const route = fleet.route(wanted, labels);
            if (says.every(({ tier }) => tier === 'never')) {
              assert.equal(route.kind, 'refused');
              continue;
            }
            assert.equal(route.kind, 'candidates');
            const expected = [0, 1, 2].map((tier) => says.filter((one) => one.tier === tier).map(({ id }) => id));
            const sorted = (lists: readonly (readonly string[])[]) =>
              lists.filter((ids) => ids.length > 0).map((ids) => [...ids].sort());
            assert.deepEqual(sorted(route.candidates.tiers), sorted(expected));
            assert.equal(candidates(fleet, wanted, labels), route.candidates);
          }
        }
      },
    ),
    { numRuns: 500 },
  );
});
