// The protobuf messages that kubectl sends for what it creates from flags, by the field numbers of the Kubernetes API.

/** The type of a field: a scalar, a map, or another message; a list where it ends in `[]`. */
export type FieldType = string;

/** A field of a message: its JSON name and its type. */
export interface MessageField {
  readonly name: string;
  readonly type: FieldType;
}

// Each line reads `number name:type`, the type left out for text. Fields that kubectl never sets are left out.
const messages: Readonly<Record<string, string>> = {
  Unknown: '1 typeMeta:TypeMeta, 2 raw:bytes',
  TypeMeta: '1 apiVersion, 2 kind',
  ObjectMeta:
    '1 name, 2 generateName, 3 namespace, 5 uid, 6 resourceVersion, 11 labels:map, 12 annotations:map, 13 ownerReferences:OwnerReference[], 14 finalizers:text[]',
  OwnerReference: '1 kind, 3 name, 4 uid, 5 apiVersion, 6 controller:bool, 7 blockOwnerDeletion:bool',
  Namespace: '1 metadata:ObjectMeta',
  Secret: '1 metadata:ObjectMeta, 2 data:bytemap, 3 type, 4 stringData:map, 5 immutable:bool',
  ConfigMap: '1 metadata:ObjectMeta, 2 data:map, 3 binaryData:bytemap, 4 immutable:bool',
  ServiceAccount: '1 metadata:ObjectMeta',
  PolicyRule:
    '1 verbs:text[], 2 apiGroups:text[], 3 resources:text[], 4 resourceNames:text[], 5 nonResourceURLs:text[]',
  Subject: '1 kind, 2 apiGroup, 3 name, 4 namespace',
  RoleRef: '1 apiGroup, 2 kind, 3 name',
  Role: '1 metadata:ObjectMeta, 2 rules:PolicyRule[]',
  RoleBinding: '1 metadata:ObjectMeta, 2 subjects:Subject[], 3 roleRef:RoleRef',
  ClusterRole: '1 metadata:ObjectMeta, 2 rules:PolicyRule[]',
  ClusterRoleBinding: '1 metadata:ObjectMeta, 2 subjects:Subject[], 3 roleRef:RoleRef',
  IntOrString: '1 type:int, 2 intVal:int, 3 strVal',
  ServicePort: '1 name, 2 protocol, 3 port:int, 4 targetPort:IntOrString',
  ServiceSpec: '1 ports:ServicePort[], 2 selector:map, 3 clusterIP, 4 type, 10 externalName',
  Service: '1 metadata:ObjectMeta, 2 spec:ServiceSpec',
  LabelSelector: '1 matchLabels:map',
  EnvVar: '1 name, 2 value',
  ContainerPort: '1 name, 3 containerPort:int, 4 protocol, 5 hostIP',
  Container:
    '1 name, 2 image, 3 command:text[], 4 args:text[], 5 workingDir, 6 ports:ContainerPort[], 7 env:EnvVar[], 14 imagePullPolicy',
  PodSpec: '2 containers:Container[], 3 restartPolicy',
  PodTemplateSpec: '1 metadata:ObjectMeta, 2 spec:PodSpec',
  DeploymentSpec: '1 replicas:int, 2 selector:LabelSelector, 3 template:PodTemplateSpec',
  Deployment: '1 metadata:ObjectMeta, 2 spec:DeploymentSpec',
  JobSpec:
    '1 parallelism:int, 2 completions:int, 4 selector:LabelSelector, 6 template:PodTemplateSpec, 7 backoffLimit:int',
  Job: '1 metadata:ObjectMeta, 2 spec:JobSpec',
  JobTemplateSpec: '1 metadata:ObjectMeta, 2 spec:JobSpec',
  CronJobSpec: '1 schedule, 3 concurrencyPolicy, 4 suspend:bool, 5 jobTemplate:JobTemplateSpec',
  CronJob: '1 metadata:ObjectMeta, 2 spec:CronJobSpec',
  ResourceAttributes: '1 namespace, 2 verb, 3 group, 4 version, 5 resource, 6 subresource, 7 name',
  NonResourceAttributes: '1 path, 2 verb',
  AccessReviewSpec: '1 resourceAttributes:ResourceAttributes, 2 nonResourceAttributes:NonResourceAttributes',
  SelfSubjectAccessReview: '1 metadata:ObjectMeta, 2 spec:AccessReviewSpec',
  RulesReviewSpec: '1 namespace',
  SelfSubjectRulesReview: '1 metadata:ObjectMeta, 2 spec:RulesReviewSpec',
  SelfSubjectReview: '1 metadata:ObjectMeta',
};

/** The fields of a message by their number; undefined for a message that is not known. */
export const messageFields = (message: string): ReadonlyMap<number, MessageField> | undefined => {
  const written = Object.hasOwn(messages, message) ? messages[message] : undefined;
  if (written === undefined) return undefined;
  const fields = written.split(', ').map((line): [number, MessageField] => {
    const [, number = '', name = '', type = 'text'] = /^(\d+) (\w+)(?::([\w[\]]+))?$/.exec(line) ?? [];
    return [Number(number), { name, type }];
  });
  return new Map(fields);
};
