// Serves the repositories of a folder over ssh on loopback: a real ssh server, which starts git's own `upload-pack`.
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import ssh2, { type AuthContext, type ParsedKey, type ServerChannel } from 'ssh2';

/** A key pair as OpenSSH writes it. */
export interface SshKey {
  /** PEM, or OpenSSH's own form. */
  readonly private: string;
  /** One line: type and key. */
  readonly public: string;
}

/** A running server. */
export interface GitSshServer {
  readonly port: number;
  /** Its host's key as a line of `known_hosts`, for `127.0.0.1` and `localhost`. */
  readonly knownHosts: string;
  /** Each command that was asked for, after the user's name: `git git-upload-pack '/team/app.git'`. */
  readonly commands: readonly string[];
  stop(): Promise<void>;
}

/** Makes a key pair. An RSA key is in the older form, PKCS #1, as `ssh-keygen -m PEM` writes it. */
export const createSshKey = (type: 'ed25519' | 'rsa'): SshKey => {
  if (type === 'ed25519') return createEd25519Key();
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 3072,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return { private: privateKey, public: `ssh-rsa ${parsed(privateKey).getPublicSSH().toString('base64')}` };
};

/** Written here: the library's own generator breaks one key in 256. */
const createEd25519Key = (): SshKey => {
  const { x = '', d = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const [type, open, seed] = [Buffer.from('ssh-ed25519'), Buffer.from(x, 'base64url'), Buffer.from(d, 'base64url')];
  const both = strings(type, open);
  const secret = Buffer.concat([Buffer.alloc(8), both, strings(Buffer.concat([seed, open]), Buffer.from(''))]);
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7].slice(0, (8 - (secret.length % 8)) % 8));
  const none = Buffer.from('none');
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    strings(none, none, Buffer.from('')),
    uint32(1),
    strings(both, Buffer.concat([secret, padding])),
  ]);
  const lines = file.toString('base64').match(/.{1,70}/g) ?? [];
  return {
    private: ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n'),
    public: `ssh-ed25519 ${both.toString('base64')}`,
  };
};

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** Each after its length, as ssh writes them (RFC 4251). */
const strings = (...values: readonly Buffer[]): Buffer =>
  Buffer.concat(values.flatMap((value) => [uint32(value.length), value]));

const parsed = (key: string): ParsedKey => {
  const result = ssh2.utils.parseKey(key);
  if (result instanceof Error) throw result;
  return Array.isArray(result) ? (result[0] as ParsedKey) : result; // it parses one key at least
};

/** Lets in who shows the private half of one of the keys. */
const authenticate = (keys: readonly ParsedKey[], context: AuthContext): void => {
  if (context.method !== 'publickey') return context.reject(['publickey']);
  const { data } = context.key;
  const key = keys.find((one) => one.getPublicSSH().equals(data));
  const { signature, blob, hashAlgo } = context;
  if (!key) return context.reject(['publickey']);
  // Without a signature it is only asked whether the key would do.
  if (signature && (!blob || !key.verify(blob, signature, hashAlgo))) return context.reject(['publickey']);
  return context.accept();
};

/** Runs the one command that is served, between channel and repository. */
const run = (channel: ServerChannel, command: string, root: string): void => {
  const end = (code: number): void => {
    channel.exit(code);
    channel.end();
  };
  const path = /^git-upload-pack '(.*)'$/.exec(command)?.[1];
  if (path === undefined) return end(1);
  const child = spawn('git', ['upload-pack', join(root, path)]);
  channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  child.stdin.on('error', () => undefined); // git has ended before it read all
  child.on('close', (code) => end(code ?? 1));
};

/** Starts the server over the folder `root`; it lets in whoever has one of `keys`, under any name. */
export const startGitSshServer = async (root: string, keys: readonly SshKey[]): Promise<GitSshServer> => {
  const hostKey = createSshKey('ed25519');
  const permitted = keys.map((key) => parsed(key.public));
  const commands: string[] = [];
  const open = new Set<ssh2.Connection>();
  const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (connection) => {
    let user = '';
    open.add(connection);
    connection.on('close', () => open.delete(connection));
    connection.on('error', () => undefined); // a client that goes away in the middle
    connection.on('authentication', (context) => {
      user = context.username;
      authenticate(permitted, context);
    });
    connection.on('session', (accept) => {
      accept().on('exec', (acceptCommand, _reject, { command }) => {
        commands.push(`${user} ${command}`);
        run(acceptCommand(), command, root);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo; // a server that listens on TCP has one
  return {
    port,
    knownHosts: `[127.0.0.1]:${port},[localhost]:${port} ${hostKey.public}\n`,
    commands,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const connection of open) connection.end();
      }),
  };
};
