// Argo CD's AppProject, as far as it is read or written here: which sources and destinations Applications may use.
import type { z } from 'zod';
import { ageColumn, objectSchema, type CustomKind } from '../custom-kind.ts';
import { list, object, text } from '../fields.ts';
import type { ApiObject } from '../metadata.ts';
import type { ApiResource } from '../resource.ts';

const groupKinds = (description: string) =>
  list(description, object('One kind; `*` stands for any.', { group: text('API group.'), kind: text('Kind.') }));

const specSchema = object('What Applications of this project may do.', {
  description: text('What the project is for.').optional(),
  sourceRepos: list('URLs that Applications may deploy from; `*` stands for any text.', text('One URL.')).optional(),
  destinations: list(
    'Where Applications may deploy to; `*` stands for any text.',
    object('One destination.', {
      server: text('URL of the cluster.').optional(),
      name: text('Name of the cluster in Argo CD.').optional(),
      namespace: text('Namespace.').optional(),
    }),
  ).optional(),
  clusterResourceWhitelist: groupKinds('Cluster-scoped kinds that may be deployed; absent means none.').optional(),
  namespaceResourceWhitelist: groupKinds('Namespaced kinds that may be deployed; absent means all.').optional(),
  clusterResourceBlacklist: groupKinds('Cluster-scoped kinds that may not be deployed.').optional(),
  namespaceResourceBlacklist: groupKinds('Namespaced kinds that may not be deployed.').optional(),
});

/** Which sources and destinations Applications may use. */
export interface AppProject extends ApiObject {
  spec: z.infer<typeof specSchema>;
}

/** Addresses AppProjects. */
export const appProjects: ApiResource<AppProject> = {
  group: 'argoproj.io',
  version: 'v1alpha1',
  plural: 'appprojects',
  kind: 'AppProject',
  namespaced: true,
};

/** AppProject as a custom resource: for a cluster without Argo CD. */
export const appProjectKind: CustomKind = {
  resource: appProjects,
  schema: objectSchema('What the Applications of a team may do.', {
    spec: specSchema,
    status: object('What Argo CD notes about the project.', {}).optional(),
  }),
  statusSubresource: false,
  keepsUnknownFields: true,
  columns: [ageColumn],
};
