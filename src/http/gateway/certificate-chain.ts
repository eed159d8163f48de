/**
 * What clients can build from the certificates in a file. A browser often has the intermediate certificates itself and accepts any order. Other programs accept
 * only what the server sends: its own certificate first, then each one that signed its predecessor (RFC 8446 § 4.4.2).
 */
import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';

const BLOCK = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs;
/** Certificates that are looked at; chains have two or three. */
const MAX_CERTIFICATES = 20;
export const CHAIN_FIX = 'use fullchain.pem, as the authority issued it';

/** Sentences about what programs other than browsers will not accept; none: the chain is good. `pem` can be read. */
export function chainProblems(pem: string, wallTime: number): string[] {
  const chain = (pem.match(BLOCK) ?? []).slice(0, MAX_CERTIFICATES).map((block) => new X509Certificate(block));
  const expired = chain.slice(1).filter(({ validTo }) => Date.parse(validTo) / 1000 <= wallTime);
  return [
    ...orderProblem(chain),
    ...expired.map((certificate) => `the intermediate certificate ${nameOf(certificate)} expired on ${certificate.validTo}`),
  ];
}

function orderProblem(chain: readonly X509Certificate[]): string[] {
  const [first] = chain;
  if (first === undefined) return [];
  const stray = chain.slice(1).find((certificate, i) => chain[i]?.checkIssued(certificate) !== true);
  if (stray !== undefined)
    return [
      `the certificates are in the wrong order, or one is missing: ${nameOf(stray)} did not sign the certificate before it`,
    ];
  if (chain.length > 1 || first.checkIssued(first) || isFromKnownRoot(first)) return [];
  return [`the certificate is alone, without that of ${first.issuer.replaceAll('\n', ', ')}, which signed it`];
}

function isFromKnownRoot(certificate: X509Certificate): boolean {
  return rootCertificates.some((root) => certificate.checkIssued(new X509Certificate(root)));
}

function nameOf({ subject }: X509Certificate): string {
  return `"${subject.replaceAll('\n', ', ')}"`;
}
