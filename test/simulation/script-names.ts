// The names in a schedule: few, so that users meet.

/** The namespaces of the users, there from the start. */
export const teams = ['team-a', 'team-b'] as const;

/** What they deploy, and have credentials for. */
export const repositories = ['https://git.test/org/one', 'https://git.test/org/two.git'] as const;

/** The URLs of the clusters they have. */
export const hosts = ['https://one.test', 'https://two.test', 'https://also-one.test'] as const;

/** The cluster that a URL leads to: two lead to the same. */
export const clusterAt = (host: string): string => host.replace('also-', '');
