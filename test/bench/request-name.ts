// What a request to an API server is called where requests are counted.

const verbs: Readonly<Record<string, string>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** `<verb> <plural>[/<subresource>]`, such as `patch gitopsdeployments/status`; the path itself for all else. */
export const requestName = (method: string, target: string): string => {
  const url = new URL(target, 'https://server');
  const [root, ...rest] = url.pathname.split('/').slice(1);
  if (root !== 'api' && root !== 'apis') return `${method} ${url.pathname}`;
  const below = rest.slice(root === 'api' ? 1 : 2);
  const [plural = 'discovery', name, subresource] = below[0] === 'namespaces' && below[2] ? below.slice(2) : below;
  const reading = url.searchParams.has('watch') ? 'watch' : name ? 'get' : 'list';
  return `${verbs[method] ?? reading} ${plural}${subresource ? `/${subresource}` : ''}`;
};
