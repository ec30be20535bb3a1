// Reads the protobuf bodies of kubectl: what it creates from flags alone, it sends as protobuf whatever a server accepts.
import { asObject, asText, valueAt, type JsonObject } from '../json.ts';
import { messageFields, type MessageField } from './protobuf-messages.ts';
import { badRequest, unsupportedMediaType } from '../refusal.ts';

/** The media type of these bodies. */
export const protobufType = 'application/vnd.kubernetes.protobuf';

const magic = Buffer.from('k8s\0', 'latin1');

/** One field as it stands on the wire: a number, or some bytes. */
interface WireField {
  readonly number: number;
  readonly value: bigint | Buffer;
}

const readVarint = (bytes: Buffer, at: number): { value: bigint; end: number } => {
  let value = 0n;
  for (let end = at, shift = 0n; end < bytes.length && shift < 70n; end += 1, shift += 7n) {
    const byte = bytes[end] ?? 0;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return { value, end: end + 1 };
  }
  throw badRequest('the protobuf body is cut off');
};

const readFields = (bytes: Buffer): WireField[] => {
  const fields: WireField[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = readVarint(bytes, at);
    const [number, wireType] = [Number(tag.value >> 3n), Number(tag.value & 7n)];
    if (wireType !== 0 && wireType !== 2) throw badRequest(`the protobuf body has a field of wire type ${wireType}`);
    const head = readVarint(bytes, tag.end);
    at = wireType === 0 ? head.end : head.end + Number(head.value);
    if (at > bytes.length) throw badRequest('the protobuf body is cut off');
    fields.push({ number, value: wireType === 0 ? head.value : bytes.subarray(head.end, at) });
  }
  return fields;
};

const asBytes = (value: bigint | Buffer | undefined): Buffer => (Buffer.isBuffer(value) ? value : Buffer.alloc(0));

const entryOf = (bytes: Buffer, encoding: 'utf8' | 'base64'): [string, string] => {
  const [key, value] = [1, 2].map((number) =>
    asBytes(readFields(bytes).find((field) => field.number === number)?.value),
  );
  return [key?.toString('utf8') ?? '', value?.toString(encoding) ?? ''];
};

const readValue = (type: string, value: bigint | Buffer, present: unknown): unknown => {
  switch (type) {
    case 'text':
      return asBytes(value).toString('utf8');
    case 'bytes':
      return asBytes(value).toString('base64');
    case 'bool':
      return value === 1n;
    case 'int':
      return typeof value === 'bigint' ? Number(BigInt.asIntN(64, value)) : 0;
    case 'map':
      return { ...asObject(present), ...Object.fromEntries([entryOf(asBytes(value), 'utf8')]) };
    case 'bytemap':
      return { ...asObject(present), ...Object.fromEntries([entryOf(asBytes(value), 'base64')]) };
    case 'IntOrString': {
      const { type: isText, intVal, strVal } = readMessage('IntOrString', asBytes(value));
      return isText === 1 ? strVal : (intVal ?? 0);
    }
    default:
      return readMessage(type, asBytes(value));
  }
};

const addField = (message: JsonObject, { name, type }: MessageField, value: bigint | Buffer): void => {
  const item = readValue(type.replace('[]', ''), value, message[name]);
  // Go writes every text of a message, the empty ones too; JSON leaves those out.
  if (type.endsWith('[]')) message[name] = [...(Array.isArray(message[name]) ? message[name] : []), item];
  else if (item !== '') message[name] = item;
};

const readMessage = (type: string, bytes: Buffer): JsonObject => {
  const fields = messageFields(type);
  const message: JsonObject = {};
  for (const { number, value } of readFields(bytes)) {
    const field = fields?.get(number);
    if (field) addField(message, field, value);
  }
  return message;
};

/**
 * Reads a protobuf body as the JSON of the same object. Throws 415 for a kind whose message is not known: `kubectl
 * create -f` and all else that sends JSON works for it.
 */
export const readProtobuf = (bytes: Buffer): JsonObject => {
  if (!bytes.subarray(0, magic.length).equals(magic))
    throw badRequest('the body does not begin as Kubernetes protobuf');
  const envelope = readMessage('Unknown', bytes.subarray(magic.length));
  const kind = asText(valueAt(envelope, 'typeMeta', 'kind'));
  if (!messageFields(kind)) {
    throw unsupportedMediaType(
      `the sandbox API server does not read ${kind} as protobuf: send JSON, as kubectl create -f and kubectl apply do`,
    );
  }
  const content = readMessage(kind, Buffer.from(asText(envelope['raw']), 'base64'));
  return { apiVersion: asText(valueAt(envelope, 'typeMeta', 'apiVersion')), kind, ...content };
};
