// Admission as a part of a process.
import { createAdmissionServer } from '../http/admission/server.ts';
import type { SettingValues } from '../lib/config.ts';
import type { Probes } from '../lib/probes.ts';
import type { Part } from '../runtime/process.ts';
import type { Platform } from './platform.ts';
import type { backendSettings } from './settings.ts';

type Settings = Pick<
  SettingValues<typeof backendSettings>,
  'webhooks' | 'webhookAddress' | 'webhookCertificates' | 'webhooksDisabled'
>;

/**
 * The part that serves admission, if the settings want it. It needs neither database nor cluster nor Lease, and starts
 * before them: while no replica serves it, the API server takes no write of our kinds.
 */
export const admissionParts = (
  platform: Platform,
  { probes, settings }: { readonly probes: Probes; readonly settings: Settings },
): readonly Part[] => {
  const { webhooks, webhookAddress: address, webhookCertificates: certificateFolder, webhooksDisabled } = settings;
  if (webhooks === 'off' || webhooksDisabled || address.off) return [];
  const server = createAdmissionServer({ ...platform, address, certificateFolder });
  if (webhooks === 'on') {
    probes.check('admission', () => (server.port === 0 ? 'waiting for its certificate' : undefined));
  }
  return [{ name: 'admission', start: () => server.start(), stop: () => server.stop() }];
};
