import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { useScriptedClients } from '../../test/kit/scripted-clients.ts';
import { answerJson } from '../../test/kit/scripted-server.ts';
import { isFault } from '../lib/fault.ts';
import { namespaces } from '../kube/object.ts';
import { createAddressGuard, parseAllowedAddresses, type AddressGuard, type LookupAll } from './address-guard.ts';

const { serve, connect } = useScriptedClients();

const guardWith = (allowed: string, lookup?: LookupAll): AddressGuard =>
  createAddressGuard(parseAllowedAddresses(allowed), lookup ? { lookup } : {});

/** What the guard says of a host: 'allowed', or the text for the user. */
const verdict = (guard: AddressGuard, host: string): string => {
  try {
    guard.check(host);
    return 'allowed';
  } catch (error) {
    if (isFault(error, 'user') && error.reason === 'UnsupportedAPIURL') return error.message;
    throw error;
  }
};

/** A resolver that gives each answer once, the last one for ever. */
const answering = (...answers: readonly (readonly string[])[]): { lookup: LookupAll; asked: string[] } => {
  const asked: string[] = [];
  return {
    asked,
    lookup(name, _options, callback) {
      const addresses = answers[Math.min(asked.length, answers.length - 1)] ?? [];
      asked.push(name);
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    },
  };
};

describe('without a setting', () => {
  const guard = guardWith('');

  test.each([
    ['127.0.0.1', 'loopback'],
    ['127.8.8.8', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['::', 'unspecified'],
    ['169.254.169.254', 'link-local'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['10.0.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['fd00::1', 'private'],
    ['fd00:ec2::254', 'private'],
    ['::ffff:10.0.0.1', 'private'],
    ['::ffff:a9fe:a9fe', 'link-local'],
    ['224.0.0.1', 'multicast'],
    ['ff02::1', 'multicast'],
    ['255.255.255.255', 'reserved'],
    ['64:ff9b::a00:1', 'translated'],
    ['2002:a00:1::', 'translated'],
    ['::10.0.0.1', 'translated'],
  ])('%s is refused as a %s address', (address, range) => {
    expect(verdict(guard, address)).toBe(`the API URL leads to a ${range} address, which is not allowed here`);
  });

  test.each([
    'localhost',
    'x.localhost',
    'kubernetes',
    'Kubernetes.Default',
    'kubernetes.default.svc',
    'api.team.SVC.',
    'db.team.svc.cluster.local',
    'node.cluster.local',
  ])('%s is refused as a name inside a cluster', (name) => {
    expect(verdict(guard, name)).toBe('the API URL leads to a name inside a cluster, which is not allowed here');
  });

  test.each(['8.8.8.8', '172.32.0.1', '2606:4700::1111', '::ffff:8.8.8.8', 'api.example.com', 'svc.example.com'])(
    '%s may be connected to',
    (host) => expect(verdict(guard, host)).toBe('allowed'),
  );
});

describe('the setting', () => {
  test('private lets in the networks of companies, and neither this machine nor the metadata of a cloud', () => {
    const guard = guardWith('private');
    const verdicts = ['10.1.2.3', '192.168.0.1', 'fd00::1', '127.0.0.1', '169.254.169.254', '::1', 'x.svc'].map(
      (host) => verdict(guard, host) === 'allowed',
    );
    expect(verdicts).toEqual([true, true, true, false, false, false, false]);
  });

  test('lets in the blocks that it names, and no more', () => {
    const guard = guardWith(' 10.20.0.0/16, fd00:1::/32,127.0.0.1/32 ');
    const verdicts = ['10.20.255.1', 'fd00:1::5', '127.0.0.1', '10.21.0.1', 'fd00:2::5', '127.0.0.2'].map(
      (host) => verdict(guard, host) === 'allowed',
    );
    expect(verdicts).toEqual([true, true, true, false, false, false]);
  });

  test('all lets in everything', () => {
    const guard = guardWith('all');
    expect(['127.0.0.1', 'kubernetes.default.svc', '::'].map((host) => verdict(guard, host))).toEqual(
      Array(3).fill('allowed'),
    );
  });

  test.each(['10.0.0.0', '10.0.0.0/33', '10.0.0/8', 'fd00::/129', 'everything', '/8'])('can not be %s', (text) => {
    expect(() => parseAllowedAddresses(text)).toThrow('must be all, or a list of private and blocks');
  });
});

describe('a name', () => {
  const namesOf = (guard: AddressGuard, all: boolean) => promisify(guard.lookup)('api.example', { all });

  test('is refused as soon as one of its addresses is', async () => {
    const { lookup } = answering(['93.184.216.34', '10.0.0.1']);
    await expect(namesOf(guardWith('', lookup), true)).rejects.toMatchObject({ reason: 'UnsupportedAPIURL' });
    await expect(namesOf(guardWith('', lookup), false)).rejects.toThrow('a private address');
  });

  test('has the addresses that were looked at, in either form', async () => {
    const { lookup } = answering(['93.184.216.34']);
    const guard = guardWith('', lookup);
    expect(await namesOf(guard, true)).toEqual([{ address: '93.184.216.34', family: 4 }]);
    expect(await namesOf(guard, false)).toBe('93.184.216.34');
  });

  test('that nobody knows is unknown, not refused', async () => {
    const lookup: LookupAll = (_name, _options, callback) =>
      callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), []);
    await expect(namesOf(guardWith('', lookup), true)).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });
});

describe('at the connection', () => {
  const list = { kind: 'NamespaceList', metadata: {}, items: [] };
  const refused = { kind: 'user', reason: 'UnsupportedAPIURL' };

  test('a refused address is never connected to, however it is written', async () => {
    const server = await serve((_request, response) => answerJson(response, 200, list));
    const { port } = new URL(server.url);
    for (const host of ['127.0.0.1', '127.1', '0x7f000001', '2130706433', '[::ffff:7f00:1]', 'localhost']) {
      const client = connect({ url: `http://${host}:${port}` }, { dialling: guardWith('') });
      await expect(client.list(namespaces)).rejects.toMatchObject(refused);
    }
    expect(server.connections).toBe(0);
  });

  test('a name that shows a good address first and a bad one later (DNS rebinding) reaches nothing', async () => {
    const server = await serve((_request, response) => {
      response.setHeader('connection', 'close'); // so that the next call connects anew
      answerJson(response, 200, list);
    });
    const { port } = new URL(server.url);
    const { lookup, asked } = answering(['127.0.0.1'], ['127.0.0.2']);
    const client = connect({ url: `http://api.example:${port}` }, { dialling: guardWith('127.0.0.1/32', lookup) });
    expect((await client.list(namespaces)).items).toEqual([]);
    await expect(client.list(namespaces)).rejects.toMatchObject(refused);
    expect([asked, server.connections]).toEqual([['api.example', 'api.example'], 1]);
  });

  test('a redirect is an answer like any other: nobody goes there', async () => {
    const inside = await serve((_request, response) => answerJson(response, 200, list));
    const server = await serve((_request, response) => {
      response.writeHead(302, { location: `${inside.url}/api/v1/namespaces` }).end();
    });
    const client = connect(server, { dialling: guardWith('127.0.0.0/8') });
    await expect(client.list(namespaces)).rejects.toMatchObject({ code: 302 });
    expect(inside.connections).toBe(0);
  });
});
