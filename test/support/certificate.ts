/**
 * Certificates for tests, made when they are needed: no key lies in the repository, none expires with it, and no openssl has to be installed. Node can
 * make keys and sign, but not write certificates, so the few structures of X.509 (RFC 5280 § 4.1) are written here in DER.
 */
import { createPrivateKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';

export interface CertificateOptions {
  /** Host names and IP addresses. */
  readonly names: readonly string[];
  /** Days from now; negative: expired. */
  readonly days?: number;
  /** The authority that signs it. Default: itself. */
  readonly issuer?: { readonly name: string; readonly key: string };
}

export interface TestCertificate {
  /** PEM. A client that trusts it as an authority trusts it. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

export function makeCertificate({ names, days = 2, issuer }: CertificateOptions): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const now = Date.now();
  const day = 86_400_000;
  const name = commonName(names[0] ?? 'test');
  const toBeSigned = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_SHA256,
    issuer === undefined ? name : commonName(issuer.name),
    sequence(date(now + Math.min(days, 0) * day - day), date(now + days * day)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(alternativeNames(names), basicConstraints())),
  );
  const certificate = sequence(
    toBeSigned,
    ECDSA_SHA256,
    bitString(signature(toBeSigned, issuer === undefined ? privateKey : createPrivateKey(issuer.key))),
  );
  return { cert: pem(certificate), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

function commonName(name: string): Buffer {
  return sequence(tagged(0x31, sequence(objectId('2.5.4.3'), tagged(0x0c, Buffer.from(name)))));
}

function tagged(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

function sequence(...content: Buffer[]): Buffer {
  return tagged(0x30, ...content);
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

function bitString(bytes: Buffer): Buffer {
  return tagged(0x03, Buffer.from([0]), bytes);
}

function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let more = value >> 7; more > 0; more >>= 7) digits.unshift((more & 0x7f) | 0x80);
  return digits;
}

/** UTCTime, `YYMMDDHHMMSSZ`, which RFC 5280 asks for until 2049. */
function date(milliseconds: number): Buffer {
  const digits = new Date(milliseconds).toISOString().replace(/[-:T]|\..*/g, '');
  return tagged(0x17, Buffer.from(`${digits.slice(2)}Z`));
}

function alternativeNames(names: readonly string[]): Buffer {
  const entries = names.map((name) =>
    isIP(name) === 4 ? tagged(0x87, Buffer.from(name.split('.').map(Number))) : tagged(0x82, Buffer.from(name)),
  );
  return sequence(objectId('2.5.29.17'), tagged(0x04, sequence(...entries)));
}

/** It may sign, itself. */
function basicConstraints(): Buffer {
  return sequence(objectId('2.5.29.19'), tagged(0x04, sequence(tagged(0x01, Buffer.from([0xff])))));
}

const ECDSA_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'));

function signature(bytes: Buffer, key: KeyObject): Buffer {
  return sign('sha256', bytes, key);
}

function pem(der: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
}
