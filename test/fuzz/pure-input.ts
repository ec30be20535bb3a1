// What needs no world: thousands of values through the functions that read what others wrote.
import { gitOpsDeploymentKind } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { toStructuralSchema } from '../../src/api/crd.ts';
import { lineOf } from '../../src/sandbox/apiserver/schema/field-error.ts';
import { schemaErrors } from '../../src/sandbox/apiserver/schema/schema-errors.ts';
import type { Schema } from '../../src/sandbox/apiserver/schema/schema.ts';
import type { Kind } from './ground.ts';
import { readStatus, writeStatus } from '../../src/domain/application-status.ts';
import { mirrorStatus } from '../../src/domain/deployment-status.ts';

const schema = toStructuralSchema(gitOpsDeploymentKind.schema) as Schema; // what one writes, the other reads

/** Whatever Argo CD reports can be stored, read again, and shown in a status that the API server takes. */
export const showStatus: Kind<Record<string, unknown>> = () =>
  Promise.resolve((status) => {
    const { bytes, hash } = writeStatus(status);
    const stored = readStatus(bytes);
    if (writeStatus(status).hash !== hash) throw new Error('the same status has two hashes');
    const shown = { status: mirrorStatus(stored, () => '') };
    const errors = schemaErrors(schema, JSON.parse(JSON.stringify(shown)));
    if (errors.length > 0) throw new Error(errors.map(lineOf).join('\n'));
    return Promise.resolve();
  });
