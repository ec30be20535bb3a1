// OpenAPI v2 without any definition: kubectl asks for it before it sends a `kind: List`, and checks nothing that is not there.
import { jsonResponse, type ApiResponse } from '../http/exchange.ts';

const title = 'managed-gitops sandbox, a stand-in for Kubernetes';
const version = 'v1';

const protobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/** A protobuf field that holds bytes; all of them here are shorter than 128. */
const field = (number: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content]);

/** `openapi.v2.Document`: swagger (1), info (2) with title (1) and version (2), paths (8). */
const protobufDocument = Buffer.concat([
  field(1, Buffer.from('2.0')),
  field(2, Buffer.concat([field(1, Buffer.from(title)), field(2, Buffer.from(version))])),
  field(8, Buffer.alloc(0)),
]);

/** The document, as protobuf where that is asked for. */
export const answerOpenApiV2 = (accept: string): ApiResponse => {
  if (!accept.includes('proto-openapi')) {
    return jsonResponse({ swagger: '2.0', info: { title, version }, paths: {}, definitions: {} });
  }
  // Every byte of it is ASCII, so text carries it unchanged.
  return { status: 200, headers: { 'content-type': protobufType }, body: protobufDocument.toString('latin1') };
};
