// Whether a repository can be read with a credential: asked by `git ls-remote`, which sees nothing of this machine.
import { delimiter, dirname } from 'node:path';
import { admissionMessages, credentialMessages } from '../api/messages.ts';
import { internalFault, userFault } from '../api/reasons.ts';
import type { CredentialWish } from '../domain/credential-wish.ts';
import { readGitRemote, type GitRemote } from '../domain/git-remote.ts';
import { DeadlineExceeded, withDeadline } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import type { Gate } from '../lib/gate.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import { runProgram, type ProgramEnd } from '../lib/run-program.ts';
import { untilAborted } from '../runtime/until-aborted.ts';
import { faultOf, verdictOf, type Verdict } from './git-answers.ts';
import { withGitFiles, type GitFiles } from './git-files.ts';

/** What a check stands on. */
export interface GitCheckContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly gate: Gate;
  readonly log: Logger;
  /** For one check as a whole. */
  readonly deadlineMs: number;
  /**
   * Throws a user's fault for a host that may not be talked to. Called before git is started. Git looks the name up again
   * by itself, so a name whose address changes in between gets through: what must never be reached has to be closed by the
   * network as well.
   */
  readonly allowHost: (host: string) => Promise<void>;
  /** Lines as in ssh's `known_hosts`, for every host that may be talked to by ssh; '' accepts any host's key. */
  readonly knownHosts: string;
  /** Whether HTTP without TLS is talked: passwords are readable on the way then. */
  readonly allowHttp: boolean;
  /** A file with the certificate authorities for HTTPS, as PEM; '' for those of the system. */
  readonly caFile: string;
  /** Where git and ssh are looked for, as in PATH. */
  readonly searchPath: string;
  /** A folder of this process's own, for files that are there only while a check runs. A kill leaves them behind. */
  readonly folder: string;
}

/** What git prints of one ref is a line. */
const MAX_OUTPUT_BYTES = 1024 * 1024;

/**
 * Returns when the repository was read.
 * @throws Fault `user`: InvalidRepositoryUrl, InvalidCredentials, RepositoryUnreachable, and what `allowHost` throws;
 * `internal`: GitNotInstalled; the signal's reason when it aborts.
 */
export const checkRepository = async (
  context: GitCheckContext,
  wish: CredentialWish,
  signal: AbortSignal,
): Promise<void> => {
  const remote = readGitRemote(wish.url);
  if (remote.transport === 'http' && !context.allowHttp)
    throw userFault('InvalidRepositoryUrl', credentialMessages.noRepository(admissionMessages.repositoryScheme));
  // A key goes before a password, and opens nothing over HTTP.
  if (remote.transport !== 'ssh' && wish.sshPrivateKey !== '') throw faultOf('refused', wish);
  const { clock, deadlineMs } = context;
  try {
    const verdict = await withDeadline({ clock, deadlineMs, what: 'git ls-remote', signal }, async (within) => {
      await untilAborted(context.allowHost(remote.host), within);
      return context.gate({ to: 'git', name: 'ls-remote' }, () => ask(context, { remote, wish }, within));
    });
    if (verdict) throw faultOf(verdict, wish);
  } catch (error) {
    if (!(error instanceof DeadlineExceeded)) throw error;
    throw faultOf({ cause: `i/o timeout: no answer within ${deadlineMs / 1000} s` }, wish);
  }
};

/** One repository and what to say to its server. */
interface Question {
  readonly remote: GitRemote;
  readonly wish: CredentialWish;
}

/** Undefined when the repository was read. */
const ask = (context: GitCheckContext, question: Question, signal: AbortSignal): Promise<Verdict | undefined> => {
  const { remote, wish } = question;
  const byKey = { privateKey: wish.sshPrivateKey, knownHosts: context.knownHosts };
  const ssh = remote.transport === 'ssh' ? byKey : { privateKey: '', knownHosts: '' };
  return withGitFiles(context, ssh, async (files) => {
    const env = { ...fixedEnvironment(context, files), ...configuration(settingsFor(context, question)) };
    const askAt = async (url: string): Promise<Verdict | undefined> => {
      const run = { program: files.git, cwd: files.folder, env, signal, maxOutputBytes: MAX_OUTPUT_BYTES };
      const end = await runProgram({ ...run, args: ['ls-remote', '--', url, 'HEAD'] });
      refuseWithoutPrograms(end, files);
      if (end.overflowed) return { cause: 'the answer is too long' };
      return end.code === 0 ? undefined : verdictOf(end.stderr, remote.transport);
    };
    const verdict = await askAt(remote.url);
    // Servers that know a repository by its whole name only answer its short one by naming the other. No other is tried.
    return verdict === 'redirected' && !/\.git\/*$|\?/.test(remote.url)
      ? askAt(`${remote.url.replace(/\/+$/, '')}.git`)
      : verdict;
  });
};

/** The path of the folder and the id of our user, which no server knows, tell the words of this machine from a server's. */
const refuseWithoutPrograms = ({ code, stderr }: ProgramEnd, files: GitFiles): void => {
  if (code === 127 || code === 126) throw internalFault('GitNotInstalled', 'git was not found');
  if (stderr.includes(`${files.ssh}: `)) throw internalFault('GitNotInstalled', 'ssh was not found');
  if (stderr.startsWith(`No user exists for uid ${process.getuid?.()}`))
    throw internalFault('GitNotInstalled', 'ssh does not run as a user without a name');
};

/** All that git and ssh see of the surroundings. */
const fixedEnvironment = (context: GitCheckContext, { folder, home, ssh }: GitFiles): Record<string, string> => ({
  PATH: context.searchPath.split(delimiter).filter(Boolean).join(delimiter), // an empty part would be the folder itself
  HOME: home,
  XDG_CONFIG_HOME: home,
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CEILING_DIRECTORIES: dirname(folder),
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: '',
  SSH_ASKPASS_REQUIRE: 'never',
  GIT_ALLOW_PROTOCOL: context.allowHttp ? 'https:ssh:http' : 'https:ssh',
  GIT_SSH: ssh,
  GIT_SSH_VARIANT: 'ssh',
});

type GitSettings = readonly (readonly [name: string, value: string])[];

/** Git's configuration. The password is in it, and so in the environment, which other users can't read, unlike arguments. */
const settingsFor = ({ caFile }: GitCheckContext, { remote, wish }: Question): GitSettings => {
  const username = wish.username || remote.username;
  const password = wish.password || remote.password;
  const login = Buffer.from(`${username}:${password}`).toString('base64');
  return [
    ['credential.helper', ''],
    ['http.followRedirects', 'false'],
    ...(caFile === '' ? [] : [['http.sslCAInfo', caFile] as const]),
    ...(remote.transport === 'ssh' || login === NO_LOGIN
      ? []
      : [['http.extraHeader', `Authorization: Basic ${login}`] as const]),
  ];
};

const NO_LOGIN = Buffer.from(':').toString('base64');

const configuration = (settings: GitSettings): Record<string, string> =>
  Object.fromEntries([
    ['GIT_CONFIG_COUNT', String(settings.length)],
    ...settings.flatMap(([name, value], index) => [
      [`GIT_CONFIG_KEY_${index}`, name],
      [`GIT_CONFIG_VALUE_${index}`, value],
    ]),
  ]);
