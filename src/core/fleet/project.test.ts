import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  MAX_KEY,
  MAX_PROJECT_URL,
  PROJECT_RULES,
  asSent,
  parseProject,
  projectParameter,
  shown,
  type Project,
  type ProjectOptions,
  type ProjectRule,
} from './project.ts';

function accepted(text: string, options?: ProjectOptions): Project {
  const result = parseProject(text, options);
  assert.equal(result.kind, 'project', `${text} was refused: ${result.kind === 'refused' ? result.reason : ''}`);
  return result.project;
}

const G = 'https://github.com';

describe('project URLs that clients send', () => {
  test('the URL of a world names repository, version, path and world', () => {
    assert.deepEqual(accepted(`${G}/cyberbotics/webots/blob/released/projects/languages/python/worlds/example.wbt`), {
      url: `${G}/cyberbotics/webots/blob/released/projects/languages/python/worlds/example.wbt`,
      key: 'github.com/cyberbotics/webots/projects/languages/python/worlds/example.wbt',
      repository: 'github.com/cyberbotics/webots',
      host: 'github.com',
      owner: 'cyberbotics',
      name: 'webots',
      version: 'released',
      path: 'projects/languages/python/worlds/example.wbt',
      world: 'example.wbt',
    });
  });

  const same: [string, string][] = [
    [`${G}/alice/sim`, `${G}/alice/sim`],
    [`${G}/alice/sim/`, `${G}/alice/sim`],
    [`${G}/alice/sim/tree/main`, `${G}/alice/sim/tree/main`],
    [`${G}/alice/sim/tree/main/`, `${G}/alice/sim/tree/main`],
    [`${G}/alice/sim/tree/main/app`, `${G}/alice/sim/tree/main/app`],
    [`${G}/alice/sim/tree/main/app/worlds/w.wbt`, `${G}/alice/sim/blob/main/app/worlds/w.wbt`],
    [`${G}/alice/sim/blob/v1.0-rc.2/worlds/w.wbt`, `${G}/alice/sim/blob/v1.0-rc.2/worlds/w.wbt`],
    [`${G}/alice/sim/blob/main/w.wbt`, `${G}/alice/sim/blob/main/w.wbt`],
    [`https://GITHUB.COM/Alice/Sim/blob/Main/worlds/W.wbt`, `${G}/Alice/Sim/blob/Main/worlds/W.wbt`],
    [`HTTPS://github.com/alice/sim`, `${G}/alice/sim`],
    [`webots://github.com/alice/sim/tag/R2020b/app/worlds/w.wbt`, `${G}/alice/sim/blob/R2020b/app/worlds/w.wbt`],
    [`webots://github.com/alice/sim/branch/main/worlds/w.wbt`, `${G}/alice/sim/blob/main/worlds/w.wbt`],
    [`${G}/alice/.github`, `${G}/alice/.github`],
    [`${G}/alice_corp/sim_2.0`, `${G}/alice_corp/sim_2.0`],
    [`${G}/alice/sim/blob/main/c++/worlds/a=b,c.wbt`, `${G}/alice/sim/blob/main/c++/worlds/a=b,c.wbt`],
    [`${G}/alice/sim/blob/main/프로젝트/worlds/démo.wbt`, `${G}/alice/sim/blob/main/프로젝트/worlds/démo.wbt`],
  ];
  for (const [text, url] of same) test(`${text} is read`, () => assert.equal(accepted(text).url, url));

  test('all branches of a world, and all spellings of its repository, share one key', () => {
    const keys = ['a', 'b'].map((branch) => accepted(`${G}/Alice/SIM/blob/${branch}/worlds/w.wbt`).key);
    assert.deepEqual(keys, ['github.com/alice/sim/worlds/w.wbt', 'github.com/alice/sim/worlds/w.wbt']);
    assert.notEqual(accepted(`${G}/alice/sim/blob/a/worlds/v.wbt`).key, keys[0]);
  });

  test('a key is bounded and still distinguishes two worlds in a deep folder', () => {
    const folder = Array.from({ length: 80 }, () => 'deeper').join('/');
    const [a, b] = ['a', 'b'].map((world) => accepted(`${G}/alice/sim/blob/main/${folder}/worlds/${world}.wbt`).key);
    assert.equal(a?.length, MAX_KEY);
    assert.equal(b?.length, MAX_KEY);
    assert.notEqual(a, b);
  });

  test('the operator can allow other hosts, in any case', () => {
    const options = { otherHosts: ['Git.Example.org'] };
    assert.equal(
      accepted('https://git.example.ORG/some.group/sim/blob/main/w.wbt', options).repository,
      'git.example.org/some.group/sim',
    );
    assert.equal(accepted(`${G}/alice/sim`, options).host, 'github.com');
    assert.equal(parseProject('https://evil.git.example.org/a/b', options).kind, 'refused');
  });
});

/** At least sixty hostile and odd ones, each with the name of the rule that refuses it. */
const refusals: [string, ProjectRule][] = [
  ['', 'empty'],
  [`${G}/a/b/blob/main/${'x'.repeat(MAX_PROJECT_URL)}.wbt`, 'too-long'],
  [`${G}/a/b\u0000/blob/main/w.wbt`, 'control-character'],
  [`${G}/a/b/blob/main/w.wbt\n`, 'control-character'],
  [`${G}/a/b/blob/main/w.wbt\r\nX-Evil: 1`, 'control-character'],
  [`${G}/a/b\u001b[31m`, 'control-character'],
  [`${G}/a/b\u007f`, 'control-character'],
  [`${G}/a/b\u0085`, 'control-character'],
  [`${G}/a/b/blob/main/\u202etbw.w.wbt`, 'control-character'],
  [`${G}/a/\u200bb`, 'control-character'],
  [`\ufeff${G}/a/b`, 'control-character'],
  [`${G}/a/b/blob/main/\ud800.wbt`, 'control-character'],
  [`${G}/a/b\t`, 'control-character'],
  [` ${G}/a/b`, 'white-space'],
  [`${G}/a/b `, 'white-space'],
  [`${G}/a/b/blob/main/my project/worlds/w.wbt`, 'white-space'],
  [`${G}/a/b\u00a0c`, 'white-space'],
  [`${G}/a/b\u2028c`, 'white-space'],
  [`${G}/a/b\u3000c`, 'white-space'],
  [`https:\\\\github.com\\a\\b`, 'backslash'],
  [`${G}\\@evil.org/a/b`, 'backslash'],
  [`${G}/a/b/blob/main/..\\..\\w.wbt`, 'backslash'],
  [`${G}/a/b/blob/main/%2e%2e/w.wbt`, 'percent-encoding'],
  [`${G}/a/b/blob/main/%252e%252e/w.wbt`, 'percent-encoding'],
  [`${G}/a/b/blob/main/%00/w.wbt`, 'percent-encoding'],
  [`${G}%2fa%2fb`, 'percent-encoding'],
  [`https://github.com%40evil.org/a/b`, 'percent-encoding'],
  [`${G}/a/b/blob/main/%`, 'percent-encoding'],
  ['github.com/a/b', 'scheme'],
  ['//github.com/a/b', 'scheme'],
  ['http://github.com/a/b', 'scheme'],
  ['git@github.com:a/b.git', 'scheme'],
  ['ssh://git@github.com/a/b', 'scheme'],
  ['file:///etc/passwd', 'scheme'],
  ['ext::sh -c id'.replace(' -c id', ''), 'scheme'],
  ['javascript:alert(1)', 'scheme'],
  ['data:text/html,<b>', 'scheme'],
  ['https:github.com/a/b', 'scheme'],
  ['https:/github.com/a/b', 'scheme'],
  ['-https://github.com/a/b', 'scheme'],
  ['--upload-pack=touch', 'scheme'],
  ['example.wbt', 'scheme'],
  ['{"url":1}', 'scheme'],
  ['https://alice@github.com/a/b', 'user-info'],
  ['https://alice:secret@github.com/a/b', 'user-info'],
  ['https://github.com@evil.org/a/b', 'user-info'],
  ['https://@github.com/a/b', 'user-info'],
  ['https://github.com:443/a/b', 'port'],
  ['https://github.com:/a/b', 'port'],
  ['https://github.com:22/a/b', 'port'],
  ['https://evil.org:github.com/a/b', 'port'],
  ['https:///a/b', 'host'],
  ['https://', 'host'],
  ['https://evil.org/a/b', 'host'],
  ['https://github.com.evil.org/a/b', 'host'],
  ['https://evilgithub.com/a/b', 'host'],
  ['https://www.github.com/a/b', 'host'],
  ['https://raw.githubusercontent.com/a/b/main/worlds/w.wbt', 'host'],
  ['https://gist.github.com/a/b', 'host'],
  ['https://github.com./a/b', 'host'],
  ['https://github.co/a/b', 'host'],
  ['https://gіthub.com/a/b', 'host'],
  ['https://ｇithub.com/a/b', 'host'],
  ['https://github。com/a/b', 'host'],
  ['https://xn--gthub-2ya.com/a/b', 'host'],
  ['https://localhost/a/b', 'host'],
  ['https://127.0.0.1/a/b', 'host'],
  ['https://[::1]/a/b', 'host'],
  ['https://169.254.169.254/latest/meta-data', 'host'],
  ['https://github.com;evil.org/a/b', 'host'],
  ['https://$(id).github.com/a/b', 'host'],
  [`${G}/a/b/blob/main/w.wbt#readme`, 'fragment'],
  [`${G}/a/b#`, 'fragment'],
  [`${G}?a=b`, 'query'],
  [`${G}/a/b/blob/main/w.wbt?raw=true`, 'query'],
  [`${G}/a/b?`, 'query'],
  [`${G}/a/b/blob/main/$(id)/w.wbt`, 'shell-metacharacter'],
  [`${G}/a/b/blob/main/\`id\`.wbt`, 'shell-metacharacter'],
  [`${G}/a/b/blob/main";reboot;"/w.wbt`, 'shell-metacharacter'],
  [`${G}/a/b/blob/main/'w.wbt`, 'shell-metacharacter'],
  [`${G}/a/b/blob/main|sh/w.wbt`, 'shell-metacharacter'],
  [`${G}/a/b/blob/main&&id/w.wbt`, 'shell-metacharacter'],
  [`${G}/a/b/blob/main>x/w.wbt`, 'shell-metacharacter'],
  [`${G}/a/b/blob/main/*/w.wbt`, 'shell-metacharacter'],
  [`${G}/a/b/blob/~root/w.wbt`, 'shell-metacharacter'],
  [`${G}/a/b/blob/main/{a,b}/w.wbt`, 'shell-metacharacter'],
  [`${G}/a/b/blob/main!/w.wbt`, 'shell-metacharacter'],
  [`${G}/a/b/blob/main@{1}/w.wbt`, 'shell-metacharacter'],
  [`${G}/a/b/blob/main:w.wbt`, 'shell-metacharacter'],
  [`${G}/a@evil.org/b`, 'shell-metacharacter'],
  [`${G}/a/<script>/blob/main/w.wbt`, 'shell-metacharacter'],
  [`${G}/../a/b`, 'dot-segment'],
  [`${G}/a/b/blob/main/../../../etc/w.wbt`, 'dot-segment'],
  [`${G}/a/b/blob/../w.wbt`, 'dot-segment'],
  [`${G}/a/b/blob/main/./w.wbt`, 'dot-segment'],
  [`${G}/a/..`, 'dot-segment'],
  [`${G}/a/b/blob/main..evil/w.wbt`, 'dot-segment'],
  [`${G}//a/b`, 'empty-segment'],
  [`${G}/a//b`, 'empty-segment'],
  [`${G}/a/b/blob/main//w.wbt`, 'empty-segment'],
  [`${G}/a/b/blob/main/w.wbt/`, 'empty-segment'],
  [`${G}/a/b//`, 'empty-segment'],
  [`${G}/a/b/blob/--upload-pack=touch/w.wbt`, 'leading-dash'],
  [`${G}/-a/b`, 'leading-dash'],
  [`${G}/a/-b`, 'leading-dash'],
  [`${G}/a/b/blob/main/-rf/w.wbt`, 'leading-dash'],
  [`${G}/a/b/blob/main/．．/w.wbt`, 'character'],
  [`${G}/a/b/blob/main/a∕b.wbt`, 'character'],
  [`${G}/a/b/blob/main/🤖.wbt`, 'character'],
  [G, 'owner'],
  [`${G}/`, 'owner'],
  [`${G}/_a/b`, 'owner'],
  [`${G}/a.b/c`, 'owner'],
  [`${G}/${'a'.repeat(40)}/b`, 'owner'],
  [`${G}/é/b`, 'owner'],
  [`${G}/cyberbotics`, 'repository'],
  [`${G}/cyberbotics/`, 'repository'],
  [`${G}/a/b.git`, 'repository'],
  [`${G}/a/b.GIT/blob/main/w.wbt`, 'repository'],
  [`${G}/a/${'b'.repeat(101)}`, 'repository'],
  [`${G}/a/b+c`, 'repository'],
  [`${G}/a/é`, 'repository'],
  [`${G}/a/b/blob`, 'version'],
  [`${G}/a/b/tree/`, 'version'],
  [`${G}/a/b/raw/main/w.wbt`, 'version'],
  [`${G}/a/b/tag/v1/w.wbt`, 'version'],
  [`${G}/a/b/pull/7`, 'version'],
  [`${G}/a/b/issues`, 'version'],
  [`webots://github.com/a/b/blob/main/w.wbt`, 'version'],
  [`${G}/a/b/blob/main`, 'world'],
  [`${G}/a/b/blob/main/README.md`, 'world'],
  [`${G}/a/b/blob/main/worlds/w.WBT`, 'world'],
  [`${G}/a/b/blob/main/worlds/w.wbt.zip`, 'world'],
];

describe('project URLs that are rejected', () => {
  for (const [text, rule] of refusals) {
    test(`${JSON.stringify(text.slice(0, 80))} breaks the rule ${rule}`, () => {
      const result = parseProject(text);
      assert.equal(result.kind === 'refused' ? result.rule : `accepted as ${result.project.url}`, rule);
    });
  }

  test('the table tries every rule, and at least sixty URLs', () => {
    assert.ok(refusals.length >= 60, 'sixty');
    assert.deepEqual(new Set(refusals.map(([, rule]) => rule)), new Set(PROJECT_RULES));
  });

  test('reasons are short plain sentences that repeat nothing dangerous', () => {
    for (const [text] of refusals) {
      const result = parseProject(text);
      assert.equal(result.kind, 'refused');
      assert.match(result.reason, /^[A-Z][\x20-\x7e]{20,300}$/);
      // One character alone between fixed words begins nothing, neither for a shell nor in a page.
      const repeated = result.reason.replace(/the character ., which/, '');
      assert.doesNotMatch(repeated, /[<>`]|<script|\$\(id\)/);
    }
    const long = parseProject(`https://${'evil.'.repeat(150)}org/a/b`);
    assert.ok(long.kind === 'refused' && long.reason.length < 200, 'short');
  });
});

const odd = fc.string({
  unit: fc.oneof(
    fc.constantFrom('/', '.', '-', '%', '\\', '@', ':', '?', '#', ';', '$', ' ', '\u0000', '\u202e', 'blob', 'a', '.wbt'),
    fc.string({ unit: 'binary', maxLength: 1 }),
  ),
});

test('any text is read or refused by a listed rule, and never throws', () => {
  fc.assert(
    fc.property(odd, fc.constantFrom('', `${G}/`, `${G}/a/b/`, `${G}/a/b/blob/`, 'https://'), (rest, start) => {
      const result = parseProject(start + rest);
      if (result.kind === 'refused') {
        assert.ok(PROJECT_RULES.includes(result.rule), result.rule);
        assert.match(result.reason, /^[\x20-\x7e]+$/);
        return;
      }
      const { project } = result;
      assert.ok(project.key.length <= MAX_KEY, project.key);
      assert.deepEqual(parseProject(project.url), result, 'reading the normalised URL gives the same project');
      assert.doesNotMatch(project.url, /\.\.|[\s;$`"'\\&|<>%?#@]|\/-/);
    }),
    { numRuns: 2000 },
  );
});

describe('the parameter of a session request', () => {
  test('it is decoded once, and a plus stays a plus', () => {
    assert.equal(
      projectParameter('?url=https://github.com/a/b/blob/main/c++/w.wbt'),
      'https://github.com/a/b/blob/main/c++/w.wbt',
    );
    assert.equal(projectParameter('x=1&url=https%3A%2F%2Fgithub.com%2Fa%2Fb'), 'https://github.com/a/b');
    assert.equal(projectParameter('url=%252e'), '%2e');
  });

  test('there is none in an empty query, in an empty parameter and in others', () => {
    for (const query of ['', '?', '?url=', '?url', '?curl=x', '?x=url=']) assert.equal(projectParameter(query), undefined);
  });

  test('a broken encoding is kept as it is, to be refused', () => {
    const text = projectParameter('?url=https://github.com/%zz');
    const result = parseProject(text ?? '');
    assert.equal(result.kind === 'refused' && result.rule, 'percent-encoding');
  });
});

test('text from outside is shown shortened and escaped', () => {
  assert.equal(shown('plain text'), 'plain text');
  assert.equal(shown('a\nb\u202e<é>"'), 'a\\u{a}b\\u{202e}\\u{3c}\\u{e9}\\u{3e}\\u{22}');
  assert.equal(shown('x'.repeat(100), 10), `${'x'.repeat(9)}...`);
});

test('a character that is not allowed in a project URL is named as the student sees it', () => {
  for (const character of '!"$&\'()*:;<>@[]^`{|}~') {
    const read = parseProject(`https://github.com/a/b/blob/main/worlds/x${character}y.wbt`);
    assert.ok(read.kind === 'refused');
    assert.ok(read.reason.includes(`the character ${character}, which is not allowed`), read.reason);
  }
});

test('a project URL that cannot be read is shown in full except for secrets, which students paste too', () => {
  assert.equal(asSent('https://ada:ghp_abc@github.com/a/b'), 'https://[Redacted]@github.com/a/b');
  assert.equal(asSent('ada:ghp_abc@github.com/a/b'), '[Redacted]@github.com/a/b');
  assert.equal(asSent('https:///ada:ghp_abc@github.com/a/b'), 'https:///[Redacted]@github.com/a/b');
  assert.equal(asSent('git@github.com:a/b'), 'git@github.com:a/b');
  assert.equal(asSent('ghp_abc@github.com/a/b'), '[Redacted]@github.com/a/b');
  assert.equal(
    asSent('https://github.com/a/b/blob/ghp_0123456789abcdefABCD/w.wbt'),
    'https://github.com/a/b/blob/ghp_[Redacted]/w.wbt',
  );
  for (const mark of ['?', '#', ';', '%3F', '%2523', '%3b'])
    for (const rest of ['X-Amz-Signature=S3CRET', 'sig=S3CRET', 'pwd=S3CRET', 'code=S3CRET', 'S3CRET', '&a?b#S3CRET'])
      assert.equal(asSent(`https://github.com/a/b${mark}${rest}`), `https://github.com/a/b${mark}…`);
  assert.equal(asSent(undefined), undefined);
  const long = asSent(`https://${'x'.repeat(2000)}:secret@github.com/a/b`) ?? '';
  assert.ok(long.length <= MAX_PROJECT_URL && !long.includes('x'), 'a login longer than what is shown');
});
