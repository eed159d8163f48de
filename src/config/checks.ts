/**
 * What no single key shows: keys that contradict, repeat or lack one another. None of it stops the program, so all of it is a warning; what does
 * stop it, such as `pollTimeout` and `pollInterval`, is in `validate.ts`.
 */
import { parseRoutes, portBehind, upstreamOf, upstreamOfPort } from '../core/gateway/gateway-routes.ts';
import { addressKind } from '../core/fleet/ip-address.ts';
import { formatKey, type Problem, showValue } from './problem.ts';
import type { PartOfConfiguration } from './schema.ts';
import { simulationServerSettings } from './settings.ts';
import { type Environment, unsetVariables } from './environment.ts';

/** `hasPassword`: a mail password is known, wherever it came from. */
export function contradictions(configuration: PartOfConfiguration, hasPassword: boolean, env: Environment['env']): Problem[] {
  return [
    ...aboutName(configuration),
    ...aboutServers(configuration),
    ...aboutMail(configuration, hasPassword),
    ...aboutFolders(configuration, env),
    ...aboutTokens(configuration),
    ...aboutGateway(configuration),
  ];
}

/** Behind a front a port is right, when the front has another one than 443: what links append is a path then. */
function aboutName({ server, portRewrite }: PartOfConfiguration): Problem[] {
  if (server === undefined || portRewrite !== false || /^(?:\[[^\]]*\]|[^:/]*)$/.test(server)) return [];
  if (addressKind(server) !== undefined) return [];
  const expected = 'a host name alone, because "portRewrite" is false and links append ":" and "port"';
  return [{ key: 'server', value: showValue(server), expected, fix: 'remove what follows the host name' }];
}

function aboutServers({ simulationServers, portRewrite, registration }: PartOfConfiguration): Problem[] {
  if (simulationServers === undefined) return [];
  // They may come by themselves.
  if (simulationServers.length === 0 && registration?.token !== undefined) return [];
  if (simulationServers.length === 0) {
    const expected = 'at least one address, or no session can ever start';
    return [{ key: 'simulationServers', value: 'an empty list', expected, fix: 'add one, such as "localhost:2000"' }];
  }
  const problems: Problem[] = [];
  const seen = new Map<string, number>();
  const unlike: { key: string; address: string }[] = [];
  for (const [index, entry] of simulationServers.entries()) {
    const key = formatKey(typeof entry === 'string' ? ['simulationServers', index] : ['simulationServers', index, 'address']);
    for (const { endpoint } of simulationServerSettings(entry)) {
      const first = seen.get(endpoint.id);
      if (first !== undefined) problems.push(duplicateServer(key, endpoint.address, first));
      else seen.set(endpoint.id, index);
      if (endpoint.port !== undefined && endpoint.rewritten !== portRewrite) unlike.push({ key, address: endpoint.address });
    }
  }
  const [first] = unlike;
  if (first !== undefined && portRewrite !== undefined)
    problems.push(otherSpelling(first.key, first.address, portRewrite, unlike.length));
  return problems;
}

function duplicateServer(key: string, address: string, first: number): Problem {
  const fix = `remove one of the two; it is counted once, as simulationServers[${first}] says`;
  return { key, value: showValue(address), expected: `an address that is not yet in simulationServers[${first}]`, fix };
}

/** One warning for all servers: who forgot `portRewrite` forgot it for all of them. */
function otherSpelling(key: string, address: string, portRewrite: boolean, count: number): Problem {
  const others = count > 1 ? ` (and ${count - 1} more)` : '';
  return {
    key,
    value: `${showValue(address)}${others}`,
    expected: portRewrite ? '"host/2000", because "portRewrite" is true' : '"host:2000", because "portRewrite" is false',
    fix: `clients are sent to exactly this address; if no front maps ports, write "host:2000" and "portRewrite": false, else "host/2000" and true`,
  };
}

function aboutMail(configuration: PartOfConfiguration, hasPassword: boolean): Problem[] {
  const { administrator, mailServer, mailServerPort = 0, mailSender, mailSenderUser, mailSenderPassword } = configuration;
  const port = mailServerPort > 0 ? mailServerPort : undefined;
  const given = { administrator, mailServer, mailSender, mailSenderUser, mailSenderPassword, mailServerPort: port };
  const because = Object.entries(given).find(([, value]) => value !== undefined)?.[0];
  if (because === undefined) return [];
  const problems: Problem[] = [];
  const demand = (key: string, value: string | undefined, what: string): void => {
    if (value === undefined) problems.push(missingPartner(key, what, because));
  };
  demand('administrator', administrator, 'the address that receives e-mail');
  demand('mailServer', mailServer, 'the SMTP host');
  demand('mailSender', mailSender, 'the address of the sender');
  if (mailSenderUser !== undefined && !hasPassword) problems.push(userWithoutPassword);
  const ownPort = /^[^:]+:([0-9]+)$/.exec(mailServer ?? '')?.[1];
  if (ownPort !== undefined && mailServerPort > 0 && Number(ownPort) !== mailServerPort)
    problems.push({
      key: 'mailServer',
      value: showValue(mailServer),
      expected: `the host alone, because "mailServerPort" is ${mailServerPort}`,
      fix: `"mailServerPort" is used; remove ":${ownPort}"`,
    });
  return problems;
}

function missingPartner(key: string, what: string, because: string): Problem {
  const fix = `e-mail is disabled until you add it, or remove "${because}"`;
  return { key, value: 'missing', expected: `${what}, because "${because}" is set`, fix };
}

const userWithoutPassword: Problem = {
  key: 'mailSenderPassword',
  value: 'missing',
  expected: 'a password, because "mailSenderUser" is set',
  fix: 'without it there is no login to the SMTP server; set SESSION_SERVER_MAIL_PASSWORD, or remove "mailSenderUser"',
};

function aboutFolders({ logDir, stateDir }: PartOfConfiguration, env: Environment['env']): Problem[] {
  return Object.entries({ logDir, stateDir }).flatMap(([key, path = '']): Problem[] => {
    const value = showValue(path);
    const unset = unsetVariables(path, env);
    const unknown = unset.map((name) => ({
      name,
      expected: 'environment variables that are set',
      fix: `set ${name}; it stays in the path as it is`,
    }));
    const otherHome = /^~[^/]+/.exec(path)?.[0];
    if (otherHome !== undefined)
      unknown.push({
        name: otherHome,
        expected: '~ for the own home folder only',
        fix: 'write the path of the other home folder',
      });
    return unknown.map(({ expected, fix }) => ({ key, value, expected, fix }));
  });
}

function aboutTokens({ monitor, admin }: PartOfConfiguration): Problem[] {
  const names = (admin?.tokens ?? []).map(({ name }) => name);
  const problems = names.flatMap((name, index): Problem[] => {
    if (names.indexOf(name) === index) return [];
    const fix = 'give each holder a name of its own; the log cannot tell them apart';
    return [
      { key: formatKey(['admin', 'tokens', index, 'name']), value: showValue(name), expected: 'a name not used before', fix },
    ];
  });
  if (monitor?.access === 'token' && admin !== undefined && names.length === 0)
    problems.push({
      key: 'admin.tokens',
      value: 'an empty list',
      expected: 'at least one token, because "monitor.access" is "token"',
      fix: 'nobody can read the monitor; make a token with `session-server token NAME`',
    });
  return problems;
}

function aboutGateway(configuration: PartOfConfiguration): Problem[] {
  const { gateway, waiting, port, server, simulationServers } = configuration;
  if (gateway === undefined) return [];
  const problems: Problem[] = [];
  if (!gateway.enabled) {
    if (waiting?.relay === true)
      problems.push({
        key: 'waiting.relay',
        value: 'true',
        expected: 'a gateway, because clients wait on a connection to it',
        fix: 'nobody waits in a progress bar until "gateway.enabled" is true; set it, or remove "waiting.relay"',
      });
    return problems;
  }
  const read = parseRoutes(gateway.routes);
  const routes = read.kind === 'routes' ? read.routes : [];
  if (Object.keys(gateway.routes).length === 0)
    problems.push({
      key: 'gateway.routes',
      value: 'no range of ports',
      expected: 'the ports of the simulation servers, because "gateway.enabled" is true',
      fix: 'no session can be reached through the gateway; add one, such as {"2000-2999": "localhost"}',
    });
  for (const [key, own] of Object.entries({ port, 'gateway.port': gateway.port, 'gateway.redirectFrom': gateway.redirectFrom }))
    if (own !== undefined && upstreamOfPort(routes, own) !== undefined)
      problems.push({
        key: 'gateway.routes',
        value: `a range with ${own}`,
        expected: `the ports of simulation servers alone; ${own} is "${key}"`,
        fix: 'leave the port out of the range, or choose another port',
      });
  const behind = (simulationServers ?? [])
    .flatMap(simulationServerSettings)
    .filter(({ endpoint }) => portBehind(endpoint, server ?? '') !== undefined);
  const missing = behind.find(({ endpoint }) => !upstreamOf(routes, endpoint, server ?? ''));
  if (missing !== undefined && routes.length > 0)
    problems.push({
      key: 'gateway.routes',
      value: `no range with ${missing.endpoint.port}`,
      expected: `a range for each simulation server, because clients reach ${showValue(missing.endpoint.address)} through the gateway`,
      fix: 'add its port and those of its sessions to a range',
    });
  const [first] = behind;
  if (first !== undefined) problems.push(...aboutPublicPort(gateway, configuration, first.endpoint.address));
  if (gateway.redirectFrom !== undefined && gateway.tls === undefined)
    problems.push({
      key: 'gateway.redirectFrom',
      value: String(gateway.redirectFrom),
      expected: '"gateway.tls", because clients are sent from that port to HTTPS',
      fix: 'set "gateway.tls", or remove "gateway.redirectFrom"',
    });
  if (gateway.acmeDir !== undefined && gateway.redirectFrom === undefined)
    problems.push({
      key: 'gateway.acmeDir',
      value: showValue(gateway.acmeDir),
      expected: '"gateway.redirectFrom", because the folder is served on that port',
      fix: 'set "gateway.redirectFrom" to 80, or remove "gateway.acmeDir"',
    });
  return problems;
}

/** Addresses such as `host/2000` have no room for the port of the gateway, so it has to be the one that browsers take by themselves. */
function aboutPublicPort(
  { port, publicPort }: NonNullable<PartOfConfiguration['gateway']>,
  { ssl = true, handOutSsl = ssl }: PartOfConfiguration,
  address: string,
): Problem[] {
  const usual = handOutSsl ? 443 : 80;
  const seen = publicPort ?? port;
  if (seen === usual || seen === 0) return [];
  return [
    {
      key: publicPort === undefined ? 'gateway.port' : 'gateway.publicPort',
      value: String(seen),
      expected: `${usual}, because clients are sent to ${showValue(address)}, which names no other port`,
      fix: `set it to ${usual}; where a router, a container or another front leads ${usual} to the gateway, that is "gateway.publicPort"`,
    },
  ];
}
