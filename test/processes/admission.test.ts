import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { aReview, askHttps, localCertificate } from '../kit/admission.ts';
import { aDeployment } from '../kit/deployments.ts';
import { managedGitops, temporaryFolder } from './command.ts';

const kubeconfig = `apiVersion: v1
kind: Config
current-context: here
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: here, context: {cluster: c, user: u}}]
`;
const path = '/validate-managed-gitops-redhat-com-v1alpha1-gitopsdeployment';
const flags = [
  '--kubeconfig=config',
  '--database-url=postgresql://u:p@127.0.0.1:1/none',
  '--health-probe-bind-address=0',
  '--metrics-bind-address=0',
  '--webhook-bind-address=:0',
  '--webhook-cert-dir=certificates',
];

describe.concurrent('admission', () => {
  it.each(['backend', 'all'])(
    'is served by %s while database and API server are away: nobody is kept from writing',
    async (kind) => {
      await using folder = await temporaryFolder();
      const { ca, certificate, key } = localCertificate();
      await writeFile(join(folder.path, 'config'), kubeconfig);
      const file = (name: string): string => join(folder.path, name);
      await Promise.all([writeFile(file('tls.crt'), certificate), writeFile(file('tls.key'), key)]);
      await using running = managedGitops([kind, ...flags, '--webhook-cert-dir=.'], { folder: folder.path });
      await running.says('admission is served');
      const port = Number(
        /"port":(\d+)[^}]*"msg":"admission is served"|admission is served[^}]*"port":(\d+)/
          .exec(running.errors())
          ?.slice(1)
          .find(Boolean),
      );
      const object = aDeployment({ namespace: 'team-a', type: 'auto' });
      const answer = await askHttps({ port, ca, path }, { body: aReview({ operation: 'CREATE', object }) });
      expect(answer).toMatchObject({
        code: 200,
        text: expect.stringContaining('spec type must be manual or automated'),
      });
      running.kill('SIGTERM');
      expect(await running.whenEnded).toMatchObject({ code: 0 });
    },
  );

  it('without a certificate is waited for, and named in one line', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'config'), kubeconfig);
    await using running = managedGitops(['backend', ...flags], { folder: folder.path });
    await running.says('there are no tls.crt and tls.key for admission in certificates');
    running.kill('SIGTERM');
    expect(await running.whenEnded).toMatchObject({ code: 0 });
  });
});
