// Rows and tickets for an agent, written by hand as another program would: without any column of ours.
import type { OperationState } from '../../src/db/rows.ts';
import { namespaces } from '../../src/kube/object.ts';
import { operationName } from '../../src/api/labels.ts';
import { operations } from '../../src/api/v1alpha1/operation.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { eventually } from './eventually.ts';
import { engineNamespace, type World } from './world.ts';

/** A tenant's row. */
export interface TenantRow {
  readonly id: string;
  readonly namespace: string;
}

/** An application's row. */
export interface ApplicationRows {
  readonly id: string;
  /** The Application's name. */
  readonly name: string;
  readonly tenant: TenantRow;
}

/** What is special about an environment's row. */
interface EnvironmentValues {
  readonly host?: string;
  readonly token?: string;
  readonly insecure?: boolean;
  readonly namespaces?: string;
  readonly clusterResources?: boolean;
}

/** What is special about a credential's row. */
interface CredentialValues {
  readonly url?: string;
  /** As the tenant's project has it. */
  readonly normalizedUrl?: string;
  readonly user?: string;
  readonly password?: string;
  readonly ssh?: string;
  readonly secret?: string;
  /** The row of its engine. */
  readonly instanceId?: string;
}

/** An ended Operation. */
interface EndedOperation {
  readonly state: OperationState;
  readonly human_readable_state: string | null;
}

/** Writes what an agent works on. */
export interface AgentRows {
  readonly instanceId: string;
  tenant(namespace: string): Promise<TenantRow>;
  /** `spec` makes the text from the Application's name; `environment` false leaves the column null, a text is an id. */
  application(
    tenant: TenantRow,
    spec: (name: string) => string,
    options?: { readonly environment?: boolean | string },
  ): Promise<ApplicationRows>;
  /** Inserts an environment that the tenant's project permits; gives its id. */
  environment(tenant: TenantRow, values?: EnvironmentValues): Promise<string>;
  /** Removes it as a backend does: the applications that use it stay, without an environment. */
  removeEnvironment(id: string): Promise<void>;
  /** Inserts a credential, and permits its repository; gives its id. */
  credential(tenant: TenantRow, values?: CredentialValues): Promise<string>;
  permit(tenant: TenantRow, ...urls: readonly string[]): Promise<void>;
  forbid(tenant: TenantRow): Promise<void>;
  /** Inserts an Operation and its object; gives the row's id. */
  order(owner: TenantRow, resourceId: string, type?: string): Promise<string>;
  /** The Operation as it is now. */
  ticket(id: string): Promise<EndedOperation | undefined>;
  /** Waits for its end. */
  ended(id: string): Promise<EndedOperation>;
  /** Orders, and waits for the end. */
  carriedOut(owner: TenantRow, resourceId: string, type?: string): Promise<EndedOperation>;
}

const writeEngineRows = async ({ database, client }: World): Promise<void> => {
  const uidOf = async (name: string) => (await client.get(namespaces, { name })).metadata.uid ?? '';
  await database.script(`
    insert into clustercredentials (clustercredentials_cred_id, created_on) values ('credentials', now());
    insert into gitopsenginecluster (gitopsenginecluster_id, clustercredentials_id) values ('cluster', 'credentials');
    insert into gitopsengineinstance (gitopsengineinstance_id, namespace_name, namespace_uid, enginecluster_id)
      values ('instance', '${engineNamespace}', '${await uidOf(engineNamespace)}', 'cluster');
    insert into kubernetestodbresourcemapping
        (kubernetes_resource_type, kubernetes_resource_uid, db_relation_type, db_relation_key)
      values ('Namespace', '${await uidOf('kube-system')}', 'GitopsEngineCluster', 'cluster');
    insert into managedenvironment (managedenvironment_id, name, clustercredentials_id, created_on)
      values ('environment', 'own', 'credentials', now())`);
};

/** Writes the rows of the engine, and gives what writes the rest. */
export const writeAgentRows = async (world: World): Promise<AgentRows> => {
  const { database, client } = world;
  await writeEngineRows(world);
  const ticket: AgentRows['ticket'] = async (id) => {
    const rows = await database.sql<EndedOperation>(
      `select state, human_readable_state from operation where operation_id = '${id}'`,
    );
    return rows[0];
  };
  const ended: AgentRows['ended'] = (id) =>
    eventually('the Operation has ended', async () => {
      const found = await ticket(id);
      if (found?.state === 'Completed' || found?.state === 'Failed') return found;
      throw new Error(JSON.stringify(found));
    });
  const order: AgentRows['order'] = async (owner, resourceId, type = 'Application') => {
    const id = systemRandom.uuid();
    await database.sql(`
      insert into operation (operation_id, instance_id, resource_id, operation_owner_user_id, resource_type, created_on,
        last_state_update, state)
      values ('${id}', 'instance', '${resourceId}', '${owner.id}', '${type}', now(), now(), 'Waiting')`);
    await client.create(operations, {
      apiVersion: 'managed-gitops.redhat.com/v1alpha1',
      kind: 'Operation',
      metadata: { name: operationName(id), namespace: engineNamespace },
      spec: { operationID: id },
    });
    return id;
  };

  const permit: AgentRows['permit'] = async (tenant, ...urls) => {
    for (const url of urls) {
      await database.sql(`insert into appprojectrepository
          (appproject_repository_id, clusteruser_id, repo_url, created_on)
        values ('${systemRandom.uuid()}', '${tenant.id}', '${url}', now())`);
    }
  };

  return {
    instanceId: 'instance',
    ticket,
    ended,
    order,
    carriedOut: async (owner, resourceId, type) => ended(await order(owner, resourceId, type)),
    async tenant(namespace) {
      const id = systemRandom.uuid();
      await database.sql(`insert into clusteruser (clusteruser_id, user_name, display_name, created_on)
        values ('${id}', '${systemRandom.uuid()}', '${namespace}', now())`);
      return { id, namespace };
    },
    async application(tenant, spec, { environment = true } = {}) {
      const id = systemRandom.uuid();
      const name = `gitopsdepl-${systemRandom.uuid()}`;
      await database.script(`
        insert into application
            (application_id, name, spec_field, engine_instance_inst_id, managed_environment_id, created_on)
          values ('${id}', '${name}', '${spec(name).replaceAll("'", "''")}', 'instance',
            ${environmentOf(environment)}, now());
        insert into applicationowner (application_owner_application_id, application_owner_user_id, created_on)
          values ('${id}', '${tenant.id}', now())`);
      return { id, name, tenant };
    },
    permit,
    ...environmentRows(database),
    ...credentialRows(database, permit),
    async forbid(tenant) {
      await database.sql(`delete from appprojectrepository where clusteruser_id = '${tenant.id}'`);
    },
  };
};

/** A text as SQL; the original writes an empty one as null. */
const text = (value: string | undefined): string => (value ? `'${value.replaceAll("'", "''")}'` : 'null');

const environmentOf = (environment: boolean | string): string =>
  typeof environment === 'string' ? `'${environment}'` : environment ? `'environment'` : 'null';

const environmentRows = (database: World['database']): Pick<AgentRows, 'environment' | 'removeEnvironment'> => ({
  async environment(tenant, values = {}) {
    const id = systemRandom.uuid();
    const { host = 'https://cluster.example:6443', token = 'token-of-the-cluster' } = values;
    await database.script(`
      insert into clustercredentials (clustercredentials_cred_id, host, kube_config, kube_config_context,
          serviceaccount_bearer_token, serviceaccount_ns, allowinsecure_skiptlsverify, namespaces, cluster_resources)
        values ('credentials-${id.slice(0, 8)}', '${host}', '', '', '${token}', 'kube-system',
          ${values.insecure ?? 'null'}, ${text(values.namespaces)}, ${values.clusterResources ?? 'null'});
      insert into managedenvironment (managedenvironment_id, name, clustercredentials_id)
        values ('${id}', 'my-environment', 'credentials-${id.slice(0, 8)}');
      insert into clusteraccess (clusteraccess_user_id, clusteraccess_managed_environment_id,
          clusteraccess_gitops_engine_instance_id)
        values ('${tenant.id}', '${id}', 'instance');
      insert into appprojectmanagedenvironment (appproject_managedenv_id, clusteruser_id, managed_environment_id)
        values ('${systemRandom.uuid()}', '${tenant.id}', '${id}')`);
    return id;
  },
  async removeEnvironment(id) {
    await database.script(`
      update application set managed_environment_id = null where managed_environment_id = '${id}';
      delete from clusteraccess where clusteraccess_managed_environment_id = '${id}';
      delete from appprojectmanagedenvironment where managed_environment_id = '${id}';
      delete from managedenvironment where managedenvironment_id = '${id}';
      delete from clustercredentials where clustercredentials_cred_id = 'credentials-${id.slice(0, 8)}'`);
  },
});

const credentialRows = (database: World['database'], permit: AgentRows['permit']): Pick<AgentRows, 'credential'> => ({
  async credential(tenant, values = {}) {
    const id = systemRandom.uuid();
    const { url = 'https://github.com/org/private', normalizedUrl = url, secret = 'my-secret' } = values;
    await permit(tenant, normalizedUrl);
    await database.sql(`
      insert into repositorycredentials (repositorycredentials_id, repo_cred_user_id, repo_cred_url, repo_cred_user,
          repo_cred_pass, repo_cred_ssh, repo_cred_secret, repo_cred_engine_id)
        values ('${id}', '${tenant.id}', '${url}', ${text(values.user)}, ${text(values.password)}, ${text(values.ssh)},
          '${secret}', '${values.instanceId ?? 'instance'}')`);
    return id;
  },
});
