// Operations of type `RepositoryCredentials`: makes a repository Secret equal to its row, or removes it with the row.
import type { Application } from '../../api/argocd/application.ts';
import { appProjectName, databaseIdLabel, repositorySecretName, secretTypeLabel } from '../../api/labels.ts';
import { engineMessages } from '../../api/messages.ts';
import { selectCredentialTargets, type CredentialTargetRow } from '../../db/queries/agent-secrets.ts';
import { statementBatch } from '../../db/statement-batch.ts';
import { repositorySecret, type ArgoCdSecret } from '../../domain/argocd-secret.ts';
import { normalizeGitUrl } from '../../domain/repository-url.ts';
import { secrets, type Secret } from '../../kube/object.ts';
import { createBatch } from '../../lib/batch.ts';
import { secretText, type AgentContext, type HandlerContext, type SharedWork } from '../context.ts';
import { askForRefresh } from './ask-refresh.ts';
import { growProject, isGrown, presentProject, projectRowsOf } from './project.ts';
import type { OperationHandler, Ticket } from './reconcile.ts';
import { isRightSecret, presentSecret, removeSecret, writeSecret } from './secret.ts';
import type { ProjectWork } from './tenant-project.ts';

/** What is done about credentials. */
export interface CredentialWork {
  /** The handler of `RepositoryCredentials` Operations. */
  readonly carryOut: OperationHandler;
  /** Puts the repository Secret right, and before it the project. Without a row it does nothing. */
  repair(credentialId: string, signal: AbortSignal): Promise<void>;
  /** Removes the repository Secret, unless there is a row. */
  removeRowless(credentialId: string, signal: AbortSignal): Promise<void>;
}

/** One pass over a credential. */
interface Pass extends HandlerContext {
  readonly credentialId: string;
  /** Reads the rows anew. */
  readonly read: () => Promise<CredentialTargetRow>;
}

/** Creates the work on credentials. */
export const createCredentialWork = (
  agent: AgentContext,
  shared: SharedWork,
  projects: ProjectWork,
): CredentialWork => {
  const load = createBatch<{ readonly id: string; readonly ownerId: string | null }, CredentialTargetRow>({
    ...statementBatch,
    run: async (keys) => selectCredentialTargets(agent.db, await agent.engine.identity(), keys),
  });
  const passOver = ({ resourceId: id, ownerId, signal }: Pick<Ticket, 'resourceId' | 'ownerId' | 'signal'>): Pass => ({
    ...agent,
    ...shared,
    signal,
    credentialId: id,
    read: () => load({ id, ownerId }),
  });
  return {
    async carryOut(ticket) {
      const pass = passOver(ticket);
      const row = await pass.read();
      if (row.id === null) await removeRepositorySecrets(pass);
      else await write(pass, row);
      if (row.user_id !== null) await projects.trim(row.user_id, ticket.signal);
    },
    async repair(resourceId, signal) {
      const pass = passOver({ resourceId, ownerId: null, signal });
      const row = await pass.read();
      if (row.id !== null && row.mine) await write(pass, row);
    },
    removeRowless: (resourceId, signal) => removeRepositorySecrets(passOver({ resourceId, ownerId: null, signal })),
  };
};

/** Writes the Secret, and before it the project that lets Applications read the repository. */
const write = async (pass: Pass, row: CredentialTargetRow): Promise<void> => {
  const rows = projectRowsOf(row);
  if (!rows) return;
  await pass.inTurn(rows.userId, async () => {
    await growFor(pass, row);
    await pass.inTurn(repositorySecretName(pass.credentialId), () => writeRepositorySecret(pass, row));
  });
};

const growFor = async (pass: Pass, row: CredentialTargetRow): Promise<void> => {
  const rows = projectRowsOf(row);
  if (!rows) return;
  const present = await presentProject(pass, rows);
  if (isGrown(pass, present, rows)) return;
  const now = await pass.read();
  const newer = projectRowsOf(now);
  // Removed meanwhile: another Operation came with that.
  if (now.id !== null && newer) await growProject(pass, present, newer);
};

const writeRepositorySecret = async (pass: Pass, row: CredentialTargetRow): Promise<void> => {
  const present = await presentSecret(pass, repositorySecretName(pass.credentialId));
  if (isRightSecret(present, secretOf(pass, row))) return;
  const now = await pass.read();
  if (now.id === null) return;
  const desired = secretOf(pass, now);
  const { url = '', project = '' } = desired.data;
  await askForRefresh(
    pass,
    [...usersOf(pass, { url, project }), ...(present ? usersOfSecret(pass, present) : [])],
    CAUSE,
  );
  await writeSecret(pass, desired, {
    created: engineMessages.repositorySecretNotCreated,
    updated: engineMessages.repositorySecretNotUpdated,
  });
};

const CAUSE = 'credential';

/** The Applications that a repository Secret is for. */
const usersOf = (
  { applications }: Pass,
  { url, project }: { readonly url: string; readonly project: string },
): readonly Application[] => {
  const key = normalizeGitUrl(url);
  const candidates = project === '' ? applications.list() : applications.byIndex('project', project);
  return candidates.filter(({ spec }) => normalizeGitUrl(spec.source?.repoURL ?? '') === key);
};

const usersOfSecret = (pass: Pass, secret: Secret): readonly Application[] =>
  usersOf(pass, { url: secretText(secret, 'url'), project: secretText(secret, 'project') });

const secretOf = ({ keyring, credentialId }: Pass, row: CredentialTargetRow): ArgoCdSecret =>
  repositorySecret({
    id: credentialId,
    url: row.url ?? '',
    username: row.username ?? '',
    password: keyring.open(row.password ?? ''),
    sshPrivateKey: keyring.open(row.ssh ?? ''),
    secretName: row.secret_name ?? '',
    project: row.isolated && row.user_id !== null ? appProjectName(row.user_id) : undefined,
  });

/** Removes what bears the id of a row that is gone, and what bears its name. */
const removeRepositorySecrets = async (pass: Pass): Promise<void> => {
  const { client, engine, signal, credentialId } = pass;
  const name = repositorySecretName(credentialId);
  await pass.inTurn(name, async () => {
    if ((await pass.read()).id !== null) return;
    const { items } = await client.list(secrets, {
      namespace: engine.namespace,
      labelSelector: `${databaseIdLabel}=${credentialId},${secretTypeLabel}=repository`,
      signal,
    });
    await askForRefresh(
      pass,
      items.flatMap((one) => usersOfSecret(pass, one)),
      CAUSE,
    );
    for (const one of new Set([name, ...items.map(({ metadata }) => metadata.name)])) await removeSecret(pass, one);
  });
};
