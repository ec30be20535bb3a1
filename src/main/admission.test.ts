import { expect, it } from 'vitest';
import { silentLog } from '../../test/kit/captured-log.ts';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { parseSettings } from '../lib/config.ts';
import { openGate } from '../lib/gate.ts';
import { createMetrics } from '../lib/metrics.ts';
import { createProbes } from '../lib/probes.ts';
import { seededRandom } from '../lib/random.ts';
import { admissionParts } from './admission.ts';
import { ignoredOfOriginal } from './original.ts';
import { backendSettings } from './settings.ts';

const metrics = createMetrics();
const platform = { clock: createVirtualClock(), random: seededRandom(1), gate: openGate, log: silentLog, metrics };

const partsWith = (environment: Readonly<Record<string, string>>) => {
  const off = { host: '', port: 0, off: true };
  const probes = createProbes({ health: off, metricsAddress: off, metrics, log: silentLog });
  const checked: string[] = [];
  const watched = { ...probes, check: (name: string) => void checked.push(name) };
  const { values } = parseSettings(backendSettings, { flags: {}, environment });
  const parts = admissionParts(platform, { probes: watched, settings: values });
  return { parts: parts.map(({ name }) => name), checked };
};

it.each([
  ['by default, once there is a certificate', {}, { parts: ['admission'], checked: [] }],
  [
    'and waited for where it is on',
    { MANAGED_GITOPS_WEBHOOKS: 'on' },
    { parts: ['admission'], checked: ['admission'] },
  ],
  ['unless it is off', { MANAGED_GITOPS_WEBHOOKS: 'off' }, { parts: [], checked: [] }],
  ['unless it has no address', { MANAGED_GITOPS_WEBHOOK_ADDRESS: '0' }, { parts: [], checked: [] }],
  ["unless the original's switch says no", { DISABLE_APPSTUDIO_WEBHOOK: 'True' }, { parts: [], checked: [] }],
  [
    'as the original would, whatever else its switch says',
    { DISABLE_APPSTUDIO_WEBHOOK: '1' },
    { parts: ['admission'], checked: [] },
  ],
])('admission is served %s', (_when, environment, expected) => {
  expect(partsWith(environment)).toEqual(expected);
});

it("the original's switch is no longer one of those that mean nothing", () => {
  expect(ignoredOfOriginal([], { DISABLE_APPSTUDIO_WEBHOOK: 'true', ENABLE_PROFILING: 'true' })).toEqual([
    'ENABLE_PROFILING',
  ]);
});
