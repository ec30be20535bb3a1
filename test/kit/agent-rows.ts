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

/** An ended Operation. */
interface EndedOperation {
  readonly state: OperationState;
  readonly human_readable_state: string | null;
}

/** Writes what an agent works on. */
export interface AgentRows {
  readonly instanceId: string;
  tenant(namespace: string): Promise<TenantRow>;
  /** `spec` makes the text from the Application's name; `environment` false leaves the column null. */
  application(
    tenant: TenantRow,
    spec: (name: string) => string,
    options?: { readonly environment?: boolean },
  ): Promise<ApplicationRows>;
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

/** Writes the rows of the engine, and gives what writes the rest. */
export const writeAgentRows = async (world: World): Promise<AgentRows> => {
  const { database, client } = world;
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
            ${environment ? `'environment'` : 'null'}, now());
        insert into applicationowner (application_owner_application_id, application_owner_user_id, created_on)
          values ('${id}', '${tenant.id}', now())`);
      return { id, name, tenant };
    },
    async permit(tenant, ...urls) {
      for (const url of urls) {
        await database.sql(`insert into appprojectrepository
            (appproject_repository_id, clusteruser_id, repo_url, created_on)
          values ('${systemRandom.uuid()}', '${tenant.id}', '${url}', now())`);
      }
    },
    async forbid(tenant) {
      await database.sql(`delete from appprojectrepository where clusteruser_id = '${tenant.id}'`);
    },
  };
};
