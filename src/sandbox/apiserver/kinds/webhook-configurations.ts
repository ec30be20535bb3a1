// Configurations of admission webhooks: how they are completed and checked (admissionregistration.k8s.io/v1). What this
// server could not do as it is asked for is refused rather than passed over.
import { isRecord } from '../../../kube/json.ts';
import { GoUrlError, parseUrl } from '../../../lib/go-url.ts';
import { asArray, asObject, asText, asTexts, valueAt, type JsonObject } from '../json.ts';
import { duplicate, forbidden, invalid, required, unsupported, type FieldError } from '../schema/field-error.ts';
import type { ApiObject, Strategy } from './kind.ts';

/** What is filled in where it is left out. */
const hookDefaults = {
  failurePolicy: 'Fail',
  matchPolicy: 'Equivalent',
  namespaceSelector: {},
  objectSelector: {},
  timeoutSeconds: 10,
};

const completedHook = (hook: JsonObject, defaults: JsonObject): JsonObject => {
  const service = valueAt(hook, 'clientConfig', 'service');
  const rules = asArray(hook['rules']).map((rule) => ({ scope: '*', ...asObject(rule) }));
  return {
    ...defaults,
    ...hook,
    ...(isRecord(service)
      ? { clientConfig: { ...asObject(hook['clientConfig']), service: { port: 443, ...service } } }
      : {}),
    ...(rules.length > 0 ? { rules } : {}),
  };
};

const qualifiedNameErrors = (name: string, path: string): FieldError[] => {
  if (name === '') return [required(path)];
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name)) {
    const rule = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`;
    return [invalid(path, name, rule)];
  }
  if (name.split('.').length >= 3) return [];
  return [invalid(path, name, 'should be a domain with at least three segments separated by dots')];
};

const form = '; desired format: https://host[/path]';

const urlErrors = (text: string, path: string): FieldError[] => {
  try {
    const { scheme, host, user, fragment, rawQuery } = parseUrl(text);
    return [
      ...(scheme === 'https' ? [] : [invalid(path, scheme, `'https' is the only allowed URL scheme${form}`)]),
      ...(host === '' ? [invalid(path, host, `host must be specified${form}`)] : []),
      ...(user ? [invalid(path, user.name, 'user information is not permitted in the URL')] : []),
      ...(fragment === '' ? [] : [invalid(path, fragment, 'fragments are not permitted in the URL')]),
      ...(rawQuery === '' ? [] : [invalid(path, rawQuery, 'query parameters are not permitted in the URL')]),
    ];
  } catch (error) {
    if (error instanceof GoUrlError) return [required(path, `url must be a valid URL: ${error.message}${form}`)];
    throw error;
  }
};

const clientErrors = (client: JsonObject, path: string): FieldError[] => {
  const { url, service } = client;
  if ((typeof url === 'string') === isRecord(service)) {
    return [required(path, 'exactly one of url or service is required')];
  }
  if (typeof url === 'string') return urlErrors(url, `${path}.url`);
  return ['name', 'namespace']
    .filter((field) => asText(valueAt(service, field)) === '')
    .map((field) => required(`${path}.service.${field}`));
};

/** One of a few words, where it is given. */
const choiceErrors = (value: unknown, path: string, allowed: readonly string[]): FieldError[] =>
  value === undefined || allowed.includes(asText(value)) ? [] : [unsupported(path, value, allowed)];

const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];

const ruleErrors = (rule: unknown, path: string): FieldError[] => {
  const missing = ['operations', 'apiGroups', 'apiVersions', 'resources'].filter(
    (field) => asArray(valueAt(rule, field)).length === 0,
  );
  const asked = asTexts(valueAt(rule, 'operations'));
  return [
    ...missing.map((field) => required(`${path}.${field}`)),
    ...asked.flatMap((operation, at) => choiceErrors(operation, `${path}.operations[${at}]`, operations)),
    ...choiceErrors(valueAt(rule, 'scope'), `${path}.scope`, ['*', 'Cluster', 'Namespaced']),
    ...(asked.includes('*') || asked.includes('DELETE')
      ? [forbidden(`${path}.operations`, 'the sandbox API server asks no webhook about deletions')]
      : []),
  ];
};

const selectorErrors = (selector: unknown, path: string): FieldError[] =>
  asArray(valueAt(selector, 'matchExpressions')).flatMap((term, at) => {
    const place = `${path}.matchExpressions[${at}]`;
    const [operator, values] = [asText(valueAt(term, 'operator')), asArray(valueAt(term, 'values'))];
    if (operator === 'In' || operator === 'NotIn') {
      return values.length > 0
        ? []
        : [required(`${place}.values`, "must be specified when `operator` is 'In' or 'NotIn'")];
    }
    if (operator !== 'Exists' && operator !== 'DoesNotExist') {
      return [invalid(`${place}.operator`, operator, 'not a valid selector operator')];
    }
    const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
    return values.length === 0 ? [] : [forbidden(`${place}.values`, why)];
  });

/** What a real server does, and this one can't. */
const unservedErrors = (hook: JsonObject, path: string): FieldError[] => {
  const versions = asTexts(hook['admissionReviewVersions']);
  return [
    ...(asArray(hook['matchConditions']).length > 0
      ? [forbidden(`${path}.matchConditions`, 'the sandbox API server has no CEL')]
      : []),
    ...(hook['reinvocationPolicy'] === 'IfNeeded'
      ? [forbidden(`${path}.reinvocationPolicy`, 'the sandbox API server asks every webhook once')]
      : []),
    ...(versions.includes('v1beta1') && !versions.includes('v1')
      ? [forbidden(`${path}.admissionReviewVersions`, 'the sandbox API server sends reviews of v1 only')]
      : []),
  ];
};

const versionErrors = (versions: readonly string[], path: string): FieldError[] => {
  if (versions.length === 0) return [required(path, 'must specify one of v1, v1beta1')];
  if (versions.includes('v1') || versions.includes('v1beta1')) return [];
  return [invalid(path, versions, 'must include at least one of v1, v1beta1')];
};

const hookErrors = (hook: JsonObject, path: string): FieldError[] => {
  const { sideEffects, timeoutSeconds } = hook;
  const harmless = ['None', 'NoneOnDryRun'];
  const seconds = Number(timeoutSeconds);
  return [
    ...qualifiedNameErrors(asText(hook['name']), `${path}.name`),
    ...asArray(hook['rules']).flatMap((rule, at) => ruleErrors(rule, `${path}.rules[${at}]`)),
    ...choiceErrors(hook['failurePolicy'], `${path}.failurePolicy`, ['Fail', 'Ignore']),
    ...choiceErrors(hook['matchPolicy'], `${path}.matchPolicy`, ['Equivalent', 'Exact']),
    ...(sideEffects === undefined
      ? [required(`${path}.sideEffects`, `must specify one of ${harmless.join(', ')}`)]
      : choiceErrors(sideEffects, `${path}.sideEffects`, harmless)),
    ...(seconds >= 1 && seconds <= 30
      ? []
      : [invalid(`${path}.timeoutSeconds`, timeoutSeconds, 'the timeout value must be between 1 and 30 seconds')]),
    ...selectorErrors(hook['namespaceSelector'], `${path}.namespaceSelector`),
    ...selectorErrors(hook['objectSelector'], `${path}.objectSelector`),
    ...clientErrors(asObject(hook['clientConfig']), `${path}.clientConfig`),
    ...versionErrors(asTexts(hook['admissionReviewVersions']), `${path}.admissionReviewVersions`),
    ...unservedErrors(hook, path),
  ];
};

const configurationErrors = (object: ApiObject): FieldError[] => {
  const hooks = asArray(object['webhooks']).map(asObject);
  const names = hooks.map((hook) => asText(hook['name']));
  return hooks.flatMap((hook, at) => [
    ...hookErrors(hook, `webhooks[${at}]`),
    ...(names.indexOf(asText(hook['name'])) < at ? [duplicate(`webhooks[${at}].name`, hook['name'])] : []),
  ]);
};

const strategyWith = (defaults: JsonObject): Strategy => ({
  prepare: (object) => {
    const webhooks = asArray(object['webhooks']).map((hook) => completedHook(asObject(hook), defaults));
    return webhooks.length === 0 ? object : { ...object, webhooks };
  },
  validate: configurationErrors,
});

/** Webhooks that judge. */
export const validatingWebhookStrategy = strategyWith(hookDefaults);

/** Webhooks that may change objects. */
export const mutatingWebhookStrategy = strategyWith({ ...hookDefaults, reinvocationPolicy: 'Never' });
