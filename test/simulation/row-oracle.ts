// What the oracle asks of the rows that belong to no single deployment: nothing twice, nothing left over.
import { wantedRepositories, type WantedTenant } from './expectations.ts';
import type { Rows } from './oracle-rows.ts';
import { difference, hold, type Check } from './saying.ts';

/** What does not agree among the rows of all tenants. */
export const rowDisagreements = (rows: Rows, tenants: readonly WantedTenant[]): readonly string[] => {
  const { links, counts, repositories, environments, credentials } = rows;
  const count = (table: string): number => counts[table] ?? 0;
  const exactly = (table: string, wanted: number): Check => [
    count(table) === wanted,
    `there are ${count(table)} rows in ${table}, not ${wanted}`,
  ];
  const ownEnvironments = count('managedenvironment') - environments.length;
  const engines = Math.min(tenants.length, 1);
  const checks: Check[] = [
    exactly('application', links.length),
    exactly('applicationowner', links.length),
    exactly('applicationstate', links.length),
    exactly('gitopsengineinstance', count('gitopsengineinstance') > 0 ? 1 : 0),
    exactly('gitopsenginecluster', count('gitopsengineinstance') > 0 ? 1 : 0),
    // Each tenant's environment and the engine's cluster have credentials, and each of the three a mapping.
    exactly('clustercredentials', count('managedenvironment') + count('gitopsenginecluster')),
    exactly(
      'kubernetestodbresourcemapping',
      ownEnvironments + count('gitopsenginecluster') + count('gitopsengineinstance'),
    ),
    exactly('clusteraccess', count('managedenvironment')),
    exactly('appprojectmanagedenvironment', environments.length),
    exactly('repositorycredentials', credentials.length),
    [ownEnvironments <= tenants.length, 'there are more environments of the tenants than tenants'],
    [count('gitopsenginecluster') <= engines, 'there is a cluster, and no tenant'],
    [isUnique(tenants.map(({ id }) => id)), 'a tenant has two rows'],
    [isUnique(links.map((link) => link.deploymentUid)), 'a deployment has two links'],
    [isUnique(links.map((link) => link.applicationId)), 'an application has two links'],
    ...tenants.flatMap((tenant) =>
      difference(
        `the list of repositories of ${tenant.namespace || tenant.id}`,
        wantedRepositories(tenant),
        repositories.filter(({ userId }) => userId === tenant.id).map(({ url }) => url),
      ),
    ),
  ];
  return [
    ...checks.flatMap(([isRight, text]) => hold(isRight, text)),
    ...rows.pending.map((text) => `the row of the ${text} was left over`),
  ];
};

const isUnique = (values: readonly string[]): boolean => new Set(values).size === values.length;
