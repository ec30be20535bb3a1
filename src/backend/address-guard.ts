// Which addresses a tenant's URL may lead us to: the public ones, and what the operator allows. Held at the connection
// itself, so that a name can't show one address to a check and another to the call.
import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { userFault } from '../api/reasons.ts';
import type { Dialling } from '../kube/transport.ts';
import type { Fault } from '../lib/fault.ts';

/** Says which hosts and addresses may be connected to. */
export type AddressGuard = Dialling;

/** Answers a question for all addresses of a name. */
export type LookupAll = (
  name: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** Ranges that are no place on the internet, by what they are; from IANA's special-purpose registries. */
const ranges = {
  loopback: ['127.0.0.0/8', '::1/128'],
  unspecified: ['0.0.0.0/8', '::/128'],
  /** The metadata services of clouds among them, most of which are at 169.254.169.254. */
  'link-local': ['169.254.0.0/16', 'fe80::/10'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fec0::/10'],
  multicast: ['224.0.0.0/4', 'ff00::/8'],
  /** For documentation, measurements and what may come. */
  reserved: [
    '192.0.0.0/24',
    '192.0.2.0/24',
    '198.18.0.0/15',
    '198.51.100.0/24',
    '203.0.113.0/24',
    '240.0.0.0/4',
    '100::/64',
    '2001:db8::/32',
    '3fff::/20',
    '5f00::/16',
  ],
  /** IPv4 addresses in IPv6 clothes: NAT64, Teredo, 6to4, and the long deprecated `::a.b.c.d`. */
  translated: ['::/96', '64:ff9b::/96', '64:ff9b:1::/48', '2001::/32', '2002::/16'],
} as const;

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

const listOf = (blocks: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const block of blocks) {
    const [address = '', bits] = block.split('/');
    list.addSubnet(address, Number(bits), familyOf(address));
  }
  return list;
};

const lists = Object.entries(ranges).map(([range, blocks]) => ({ range, list: listOf(blocks) }));

/** The range that an address is in; undefined for one on the internet. IPv4 written as `::ffff:a.b.c.d` is IPv4. */
const rangeOf = (address: string): string | undefined =>
  lists.find(({ list }) => list.check(address, familyOf(address)))?.range;

/** An address without the interface that it may name. */
const plain = (address: string): string => address.replace(/%.*$/, '');

/** Names that only a resolver inside a cluster, or of this machine, has an answer for. */
const INTERNAL_NAME = /(^|\.)(localhost|svc|cluster\.local)$|^kubernetes(\.default)?$/;

const isCidr = (text: string): boolean => {
  const [, address = '', bits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const family = isIP(address);
  return family !== 0 && Number(bits) <= (family === 4 ? 32 : 128);
};

/** Which addresses are allowed besides the public ones. */
export interface AllowedAddresses {
  /** Everything is, also names inside the cluster. */
  readonly all: boolean;
  readonly blocks: readonly string[];
}

/**
 * Reads the setting: '' for none, `all`, or a list by commas of `private` and CIDR blocks.
 * @throws Error whose message says what is allowed.
 */
export const parseAllowedAddresses = (text: string): AllowedAddresses => {
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  const blocks = words.flatMap((word) => (word === 'private' ? ranges.private : word === 'all' ? [] : [word]));
  if (!blocks.every(isCidr)) throw new Error('must be all, or a list of private and blocks such as 10.20.0.0/16');
  return { all: words.includes('all'), blocks };
};

/** How a guard is made. */
export interface AddressGuardOptions {
  /** What is thrown; `what` is 'a loopback address' and the like. It speaks of an API URL unless given. */
  readonly refusal?: (what: string) => Fault;
  /** Asks for the addresses of a name; the machine's resolver unless given. */
  readonly lookup?: LookupAll;
}

const apiUrlRefusal = (what: string): Fault =>
  userFault('UnsupportedAPIURL', `the API URL leads to ${what}, which is not allowed here`);

/** Creates the guard. */
export const createAddressGuard = (
  allowed: AllowedAddresses,
  { refusal = apiUrlRefusal, lookup = systemLookup }: AddressGuardOptions = {},
): AddressGuard => {
  const exceptions = listOf(allowed.blocks);
  const refusedRange = (address: string): string | undefined =>
    allowed.all || exceptions.check(address, familyOf(address)) ? undefined : rangeOf(address);
  const refusalOf = (address: string): Fault | undefined => {
    const range = refusedRange(plain(address));
    return range === undefined ? undefined : refusal(`a ${range} address`);
  };
  return {
    check(host) {
      const name = host.toLowerCase().replace(/\.$/, '');
      const refused = isIP(host)
        ? refusalOf(host)
        : !allowed.all && INTERNAL_NAME.test(name)
          ? refusal('a name inside a cluster')
          : undefined;
      if (refused) throw refused;
    },
    lookup: guardedLookup(lookup, refusalOf),
  };
};

/** One address that is refused spoils the whole answer: which of them is taken is not for its author to choose. */
const guardedLookup =
  (lookup: LookupAll, refusalOf: (address: string) => Fault | undefined): LookupFunction =>
  (name, options, callback) => {
    lookup(name, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      const refused = addresses.map(({ address }) => refusalOf(address)).find((fault) => fault !== undefined);
      const [first] = addresses;
      if (refused) callback(refused, []);
      else if (options.all) callback(null, addresses);
      else callback(null, first?.address ?? '', first?.family);
    });
  };
