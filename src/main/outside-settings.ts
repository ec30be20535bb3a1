// Settings about secrets of tenants, and about what is asked of other clusters and of Git servers.
import { parseAllowedAddresses, type AllowedAddresses } from '../backend/address-guard.ts';
import { durationSetting, switchSetting, textSetting, type Setting } from '../lib/config.ts';

/** Which addresses of other clusters and Git servers may be reached besides those on the internet. */
const allowedAddressesSetting: Setting<AllowedAddresses> = {
  flag: 'allowed-addresses',
  environment: ['MANAGED_GITOPS_ALLOWED_ADDRESSES'],
  placeholder: 'list',
  help: 'Addresses of clusters and Git servers that are allowed besides those on the internet: private, blocks such as 10.20.0.0/16, or all.',
  fallback: parseAllowedAddresses(''),
  parse: parseAllowedAddresses,
  show: ({ all, blocks }) => (all ? 'all' : blocks.join(',')),
};

/** Where secrets are written to rows, or read from them. */
export const encryptionSettings = {
  encryptionKeyFile: textSetting({
    flag: 'encryption-key-file',
    environment: ['MANAGED_GITOPS_ENCRYPTION_KEY_FILE'],
    fallback: '',
    placeholder: 'file',
    help: "Keys that tenants' secrets in the database are encrypted with, one a line: <name>:<32 bytes in base64>. The first one writes.",
  }),
};

/** What is asked of other clusters and of Git servers. */
export const outsideSettings = {
  allowedAddresses: allowedAddressesSetting,
  recheckMs: durationSetting({
    flag: 'recheck',
    environment: ['MANAGED_GITOPS_RECHECK'],
    fallback: 600_000,
    help: 'How often clusters and repositories are asked again whether credentials work.',
  }),
  checkDeadlineMs: durationSetting({
    flag: 'check-deadline',
    environment: ['MANAGED_GITOPS_CHECK_DEADLINE'],
    fallback: 30_000,
    help: 'How long one such question may take.',
  }),
  gitKnownHosts: textSetting({
    flag: 'git-known-hosts',
    environment: ['MANAGED_GITOPS_GIT_KNOWN_HOSTS'],
    fallback: '',
    placeholder: 'file',
    help: "The keys of Git servers that are reached by ssh, as in ssh's known_hosts. Without it any key is accepted.",
  }),
  gitCaFile: textSetting({
    flag: 'git-ca-file',
    environment: ['MANAGED_GITOPS_GIT_CA_FILE'],
    fallback: '',
    placeholder: 'file',
    help: "Certificate authorities of Git servers, as PEM. Without it the system's.",
  }),
  gitPath: textSetting({
    flag: 'git-path',
    environment: ['MANAGED_GITOPS_GIT_PATH', 'PATH'],
    fallback: '/usr/local/bin:/usr/bin:/bin',
    placeholder: 'folders',
    help: 'Where git and ssh are looked for.',
  }),
  httpRepositories: switchSetting({
    flag: 'http-repositories',
    environment: ['MANAGED_GITOPS_HTTP_REPOSITORIES'],
    fallback: false,
    help: 'Send credentials to repositories over HTTP without TLS too. For development only.',
  }),
};
