import { describe, expect, it } from 'vitest';
import { correctedSpec, newArgoCd } from './argocd-operand.ts';

describe('the Argo CD that the operator is asked for', () => {
  it('is named like its namespace, and has the sizes and parts it always had', () => {
    const { metadata, spec } = newArgoCd('argocd');
    expect(metadata).toEqual({ name: 'argocd', namespace: 'argocd', finalizers: ['argoproj.io/finalizer'] });
    expect(spec).toMatchObject({
      controller: {
        resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '250m', memory: '256Mi' } },
        env: [{ name: 'ARGOCD_RECONCILIATION_TIMEOUT', value: '60s' }],
      },
      server: { route: { enabled: true, tls: { termination: 'reencrypt' } }, autoscale: { enabled: false } },
      ha: { enabled: false },
      grafana: { enabled: false },
      prometheus: { enabled: false },
      sso: { provider: 'dex', dex: { openShiftOAuth: true } },
    });
  });

  it('does not make every user of the cluster its administrator', () => {
    const text = JSON.stringify(newArgoCd('argocd'));
    expect(text).not.toContain('system:authenticated');
    expect(text).toContain('"scopes":"[groups]"');
  });

  it('is corrected where it differs; what somebody added stays', () => {
    const made = newArgoCd('argocd');
    expect(correctedSpec(made)).toEqual(made.spec);
    const changed = { ...made, spec: { ...made.spec, ha: { enabled: true, redisProxyImage: 'x' }, extra: { a: 1 } } };
    expect(correctedSpec(changed)).toEqual({
      ...made.spec,
      ha: { ...Object(made.spec?.['ha']), redisProxyImage: 'x' },
      extra: { a: 1 },
    });
  });
});
