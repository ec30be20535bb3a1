// GitOpsDeploymentManagedEnvironment: another cluster, or some of its namespaces, as a target of deployments.
import type { z } from 'zod';
import { conditionsSchema } from '../condition.ts';
import { connectionInitializationSucceeded } from '../conditions.ts';
import { ageColumn, objectSchema, type CustomKind } from '../custom-kind.ts';
import { flag, list, object, text } from '../fields.ts';
import { managedEnvironmentSecretType } from '../labels.ts';
import type { ApiObject } from '../metadata.ts';
import type { ApiResource } from '../resource.ts';
import { ownResource } from './group.ts';

const specSchema = object('Which cluster it is, and how it is reached.', {
  apiURL: text(
    'URL of the cluster’s API server, `https://…`, as the kubeconfig in the Secret has it; without `?` and `&`.',
  ),
  credentialsSecret: text(
    `Name of a Secret in this namespace, of type \`${managedEnvironmentSecretType}\`, whose key \`kubeconfig\` holds a kubeconfig.`,
  ),
  allowInsecureSkipTLSVerify: flag(
    'Whether the API server’s certificate is left unchecked. Only for clusters with a certificate nobody can check.',
  ),
  createNewServiceAccount: flag(
    'Whether a ServiceAccount with all rights is made on the cluster and used from then on. Default: false, the token in the kubeconfig is used.',
  ).optional(),
  namespaces: list(
    'Namespaces that deployments may reach. Empty means the whole cluster.',
    text('Name of one namespace.'),
  ).optional(),
  clusterResources: flag(
    'Whether cluster-scoped objects may be deployed although `namespaces` is not empty. Default: false.',
  ).optional(),
});

const statusSchema = object('Whether the cluster can be reached. Written by the service only.', {
  conditions: conditionsSchema.optional(),
});

/** Another cluster, or some of its namespaces, as a target of deployments. */
export interface GitOpsDeploymentManagedEnvironment extends ApiObject {
  spec?: z.infer<typeof specSchema>;
  status?: z.infer<typeof statusSchema>;
}

/** Addresses GitOpsDeploymentManagedEnvironments. */
export const gitOpsDeploymentManagedEnvironments: ApiResource<GitOpsDeploymentManagedEnvironment> = ownResource(
  'GitOpsDeploymentManagedEnvironment',
);

const connectionPath = (field: string): string =>
  `.status.conditions[?(@.type=="${connectionInitializationSucceeded}")].${field}`;

/** GitOpsDeploymentManagedEnvironment as a custom resource. */
export const gitOpsDeploymentManagedEnvironmentKind: CustomKind = {
  resource: gitOpsDeploymentManagedEnvironments,
  schema: objectSchema('Makes a cluster, or some of its namespaces, a target that GitOpsDeployments can name.', {
    spec: specSchema.optional(),
    status: statusSchema.optional(),
  }),
  statusSubresource: true,
  keepsUnknownFields: false,
  columns: [
    { name: 'API URL', type: 'string', description: 'URL of the cluster’s API server.', jsonPath: '.spec.apiURL' },
    {
      name: 'Connected',
      type: 'string',
      description: 'Whether the cluster was reached with the credentials given.',
      jsonPath: connectionPath('status'),
    },
    {
      name: 'Reason',
      type: 'string',
      description: 'Why the connection stands as it does.',
      jsonPath: connectionPath('reason'),
    },
    {
      name: 'Message',
      type: 'string',
      description: 'The same in words.',
      jsonPath: connectionPath('message'),
      priority: 1,
    },
    ageColumn,
  ],
};
