// A small real Git repository to deploy from: a web page in a ConfigMap, a Deployment that shows it, a Service.
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const page = (greeting: string): string => `apiVersion: v1
kind: ConfigMap
metadata:
  name: web-page
data:
  index.html: ${greeting}
`;

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels: { app: web }
  template:
    metadata:
      labels: { app: web }
    spec:
      containers:
        - name: web
          image: nginx:stable
          ports: [{ containerPort: 80 }]
          volumeMounts: [{ name: page, mountPath: /usr/share/nginx/html }]
      volumes:
        - name: page
          configMap: { name: web-page }
`;

const service = `apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: { app: web }
  ports: [{ port: 80 }]
`;

/** The sample repository. */
export interface SampleRepository {
  /** Its folder, which is a URL for git. */
  readonly folder: string;
  /** The folder in it that is deployed. */
  readonly path: string;
  /** Commits a new text of the page. Returns the commit's id. */
  commitPage(greeting: string): Promise<string>;
}

/** Name of the ConfigMap whose `index.html` the page is. */
export const pageConfigMap = 'web-page';

/** Creates the repository in `folder`, on branch `main`, with one commit. `path` is the environment's PATH, to find git. */
export const createSampleRepository = async (folder: string, path: string): Promise<SampleRepository> => {
  const git = async (...args: string[]): Promise<string> => {
    const identity = ['-c', 'user.name=demo', '-c', 'user.email=demo@example.com', '-c', 'commit.gpgsign=false'];
    const env = { PATH: path, HOME: folder, GIT_CONFIG_NOSYSTEM: '1' };
    return (await run('git', [...identity, ...args], { cwd: folder, env })).stdout.trim();
  };
  const deployed = join(folder, 'web');
  const commit = async (message: string): Promise<string> => {
    await git('add', '--all');
    await git('commit', '--quiet', '--message', message);
    return git('rev-parse', 'HEAD');
  };
  const commitPage = async (greeting: string): Promise<string> => {
    await writeFile(join(deployed, 'page.yaml'), page(greeting));
    return commit(`Say ${greeting}`);
  };
  await mkdir(deployed, { recursive: true });
  await git('init', '--quiet', '--initial-branch=main');
  await writeFile(join(deployed, 'deployment.yaml'), deployment);
  await writeFile(join(deployed, 'service.yaml'), service);
  await commitPage('Hello');
  return { folder, path: 'web', commitPage };
};
