// A certificate authority for one run, and the server certificate it signs: X.509 (RFC 5280) written as DER.
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import type { Random } from '../../../lib/random.ts';

/** What a TLS server and its clients need, as PEM. */
export interface ServerCertificate {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

// DER: every value is a tag, a length and its bytes.
const lengthOf = (count: number): Buffer => {
  if (count < 0x80) return Buffer.from([count]);
  const bytes = Buffer.from(count.toString(16).padStart(count < 0x100 ? 2 : 4, '0'), 'hex');
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
};
const value = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
};
const sequence = (...parts: readonly Buffer[]): Buffer => value(0x30, ...parts);
const set = (...parts: readonly Buffer[]): Buffer => value(0x31, ...parts);
const integer = (bytes: Buffer): Buffer => value(0x02, bytes);
const bits = (unused: number, bytes: Buffer): Buffer => value(0x03, Buffer.from([unused]), bytes);
const octets = (bytes: Buffer): Buffer => value(0x04, bytes);
const identifier = (hex: string): Buffer => value(0x06, Buffer.from(hex, 'hex'));
const text = (content: string): Buffer => value(0x0c, Buffer.from(content, 'utf8'));
const isTrue = value(0x01, Buffer.from([0xff]));
const tagged = (tag: number, content: Buffer): Buffer => value(0xa0 | tag, content);

// Object identifiers, DER-encoded.
const ecdsaWithSha256 = sequence(identifier('2a8648ce3d040302'));
const commonName = identifier('550403');
const basicConstraints = identifier('551d13');
const keyUsage = identifier('551d0f');
const extendedKeyUsage = identifier('551d25');
const subjectAlternativeName = identifier('551d11');
const serverAuthentication = identifier('2b06010505070301');

const nameOf = (name: string): Buffer => sequence(set(sequence(commonName, text(name))));
const critical = (id: Buffer, content: Buffer): Buffer => sequence(id, isTrue, octets(content));
const plain = (id: Buffer, content: Buffer): Buffer => sequence(id, octets(content));

// Valid for ever, as RFC 5280 writes it: the keys live no longer than the process, and a test's clock may say any day.
const validity = sequence(value(0x17, Buffer.from('000101000000Z')), value(0x18, Buffer.from('99991231235959Z')));

const alternativeName = (host: string): Buffer =>
  isIP(host) === 4 ? value(0x87, Buffer.from(host.split('.').map(Number))) : value(0x82, Buffer.from(host, 'ascii'));

const authorityExtensions = [
  critical(basicConstraints, sequence(isTrue)),
  // keyCertSign and cRLSign.
  critical(keyUsage, bits(1, Buffer.from([0x06]))),
];

const serverExtensions = (hosts: readonly string[]): Buffer[] => [
  critical(basicConstraints, sequence()),
  // digitalSignature.
  critical(keyUsage, bits(7, Buffer.from([0x80]))),
  plain(extendedKeyUsage, sequence(serverAuthentication)),
  plain(subjectAlternativeName, sequence(...hosts.map(alternativeName))),
];

interface Subject {
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Buffer[];
}

const pem = (der: Buffer): string => {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
};

const signed = (subject: Subject, issuer: { name: string; privateKey: KeyObject }, random: Random): string => {
  // The first digit keeps the serial number positive.
  const serial = Buffer.from(`4${random.uuid().replaceAll('-', '').slice(1)}`, 'hex');
  const version3 = tagged(0, integer(Buffer.from([2])));
  const content = sequence(
    version3,
    integer(serial),
    ecdsaWithSha256,
    nameOf(issuer.name),
    validity,
    nameOf(subject.name),
    subject.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(3, sequence(...subject.extensions)),
  );
  const signature = sign('sha256', content, { key: issuer.privateKey, dsaEncoding: 'der' });
  return pem(sequence(content, ecdsaWithSha256, bits(0, signature)));
};

const newKeys = (): { publicKey: KeyObject; privateKey: KeyObject } =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** Makes an authority and a server certificate for the given host names and IPv4 addresses (ECDSA P-256). */
export const createServerCertificate = (options: { hosts: readonly string[]; random: Random }): ServerCertificate => {
  const { hosts, random } = options;
  const authority = { name: 'managed-gitops sandbox CA', ...newKeys() };
  const server = newKeys();
  const subject = { name: 'managed-gitops sandbox', publicKey: server.publicKey, extensions: serverExtensions(hosts) };
  return {
    ca: signed({ ...authority, extensions: authorityExtensions }, authority, random),
    certificate: signed(subject, authority, random),
    key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }),
  };
};
