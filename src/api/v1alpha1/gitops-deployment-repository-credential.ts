// GitOpsDeploymentRepositoryCredential: how to read a private repository.
import type { z } from 'zod';
import { conditionsSchema } from '../condition.ts';
import { validRepositoryCredential } from '../conditions.ts';
import { ageColumn, objectSchema, type CustomKind } from '../custom-kind.ts';
import { object, text } from '../fields.ts';
import { repositoryCredentialSecretType } from '../labels.ts';
import type { ApiObject } from '../metadata.ts';
import type { ApiResource } from '../resource.ts';
import { ownResource } from './group.ts';

const validPath = (field: string): string => `.status.conditions[?(@.type=="${validRepositoryCredential}")].${field}`;

const specSchema = object('Which repository it is for, and where the credential is.', {
  repository: text('URL of the repository, `https://…` or `ssh://…`, as the GitOpsDeployments name it.'),
  secret: text(
    `Name of a Secret in this namespace, of type \`${repositoryCredentialSecretType}\`, with the keys \`username\` and \`password\`, or \`sshPrivateKey\`.`,
  ),
});

const statusSchema = object('Whether the repository can be read. Written by the service only.', {
  conditions: conditionsSchema.optional(),
});

/** How to read a private repository. */
export interface GitOpsDeploymentRepositoryCredential extends ApiObject {
  spec?: z.infer<typeof specSchema>;
  status?: z.infer<typeof statusSchema>;
}

/** Addresses GitOpsDeploymentRepositoryCredentials. */
export const gitOpsDeploymentRepositoryCredentials: ApiResource<GitOpsDeploymentRepositoryCredential> = ownResource(
  'GitOpsDeploymentRepositoryCredential',
);

/** GitOpsDeploymentRepositoryCredential as a custom resource. */
export const gitOpsDeploymentRepositoryCredentialKind: CustomKind = {
  resource: gitOpsDeploymentRepositoryCredentials,
  schema: objectSchema('Lets the GitOpsDeployments of this namespace read a private repository.', {
    spec: specSchema.optional(),
    status: statusSchema.optional(),
  }),
  statusSubresource: true,
  keepsUnknownFields: false,
  columns: [
    { name: 'Repository', type: 'string', description: 'URL of the repository.', jsonPath: '.spec.repository' },
    {
      name: 'Valid',
      type: 'string',
      description: 'Whether the repository was read with the credential.',
      jsonPath: validPath('status'),
    },
    {
      name: 'Message',
      type: 'string',
      description: 'Why the credential stands as it does.',
      jsonPath: validPath('message'),
      priority: 1,
    },
    ageColumn,
  ],
};
