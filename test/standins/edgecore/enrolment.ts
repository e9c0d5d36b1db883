import 'reflect-metadata';
import { createHash, KeyObject, webcrypto, X509Certificate } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { type RequestOptions, request } from 'node:https';
import path from 'node:path';
import * as x509 from '@peculiar/x509';
import { checkServerIdentity } from '../../../agent/host/server-identity.ts';
import type { Settings } from './settings.ts';

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** What edgecore holds after enrolment. */
export interface Certificates {
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
}

/** Certificates on disk, or undefined where they are missing or, from 1.21 on, made for another node. */
export async function currentCertificates(
  settings: Settings,
  minor: number,
): Promise<Certificates | undefined> {
  const { caFile, certFile, keyFile } = settings.hub;
  try {
    const [caPem, certPem, keyPem] = await Promise.all(
      [caFile, certFile, keyFile].map((file) => readFile(file, 'utf8')),
    );
    if (caPem === undefined || certPem === undefined || keyPem === undefined) return undefined;
    const subject = new X509Certificate(certPem).subject.split('\n');
    if (minor >= 21 && !subject.includes(`CN=system:node:${settings.nodeName}`)) return undefined;
    return { caPem, certPem, keyPem };
  } catch {
    return undefined;
  }
}

/**
 * Gets certificates with the token, step by step as edgecore does; throws with edgecore's own texts
 * (kubeedge/kubeedge edge/pkg/edgehub/certificate/certmanager.go, v1.12.6 and v1.22.1).
 */
export async function applyCertificates(settings: Settings, minor: number): Promise<Certificates> {
  const { httpServer, token, caFile, certFile, keyFile } = settings.hub;
  const ca = await ask(`${httpServer}/ca.crt`, { rejectUnauthorized: false }).catch((error: unknown) => {
    throw new Error(`failed to get CA certificate, err: Get "${httpServer}/ca.crt": ${goText(error)}`, {
      cause: error,
    });
  });
  const parts = token.split('.');
  if (parts.length !== 4) {
    throw new Error(`token ${minor >= 21 ? `${token} ` : ''}credentials are in the wrong format`);
  }
  const caHash = createHash('sha256').update(ca.body).digest('hex');
  if (caHash !== parts[0]) {
    throw new Error(`failed to validate CA certificate. tokenCAhash: ${parts[0]}, CAhash: ${caHash}`);
  }
  const caPem = new X509Certificate(ca.body).toString();
  await save(caFile, caPem);
  const { requestDer, keyPem } = await certificateRequest(settings.nodeName, minor);
  const answer = await ask(`${httpServer}/edge.crt`, {
    ca: caPem,
    body: requestDer,
    headers: { Authorization: `Bearer ${parts.slice(1).join('.')}`, NodeName: settings.nodeName },
  }).catch((error: unknown) => {
    throw new Error(`failed to get edge certificate from the cloudcore, error: ${goText(error)}`, {
      cause: error,
    });
  });
  if (answer.code !== 200) {
    const text = answer.body.toString();
    const reason = minor >= 21 ? `failed to call http, code: ${answer.code}, message: ${text}` : text;
    throw new Error(`failed to get edge certificate from the cloudcore, error: ${reason}`);
  }
  const certPem = new X509Certificate(answer.body).toString();
  await save(certFile, certPem);
  await save(keyFile, keyPem);
  return { caPem, certPem, keyPem };
}

/** A PKCS#10 request and its key, with the subject that the release uses. */
export async function certificateRequest(
  nodeName: string,
  minor: number,
): Promise<{ requestDer: Buffer; keyPem: string }> {
  const keys = await webcrypto.subtle.generateKey(ecdsa, true, ['sign', 'verify']);
  const [organization, commonName] =
    minor < 16 ? ['kubeEdge', 'kubeedge.io'] : ['system:nodes', `system:node:${nodeName}`];
  const made = await x509.Pkcs10CertificateRequestGenerator.create({
    name: `C=CN, ST=Zhejiang, L=Hangzhou, O=${organization}, CN=${commonName}`,
    keys,
    signingAlgorithm: ecdsa,
  });
  return {
    requestDer: Buffer.from(made.rawData),
    keyPem: KeyObject.from(keys.privateKey).export({ type: 'sec1', format: 'pem' }).toString(),
  };
}

interface Ask extends RequestOptions {
  readonly ca?: string;
  readonly body?: Buffer;
}

/** GET with an optional body, which cloudcore wants for the certificate request. */
export async function ask(url: string, options: Ask): Promise<{ code: number; body: Buffer }> {
  const { body, headers, ...rest } = options;
  const length = body === undefined ? {} : { 'Content-Length': body.length };
  return new Promise((resolve, reject) => {
    const call = request(
      url,
      { ...rest, checkServerIdentity, agent: false, headers: { ...headers, ...length } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ code: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
        response.on('error', reject);
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

async function save(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text, { mode: 0o622 });
}

/** Puts Node's error into the words of Go's net and x509 packages. */
export function goText(error: unknown): string {
  const { code = '', address = '', port = '' } = error as { code?: string; address?: string; port?: number };
  const texts: Readonly<Record<string, string>> = {
    ECONNREFUSED: `dial tcp ${address}:${port}: connect: connection refused`,
    EHOSTUNREACH: `dial tcp ${address}:${port}: connect: no route to host`,
    ENETUNREACH: `dial tcp ${address}:${port}: connect: network is unreachable`,
    ETIMEDOUT: `dial tcp ${address}:${port}: i/o timeout`,
    ENOTFOUND: 'dial tcp: lookup failed: no such host',
    EAI_AGAIN: 'dial tcp: lookup failed: Temporary failure in name resolution',
    CERT_HAS_EXPIRED: 'x509: certificate has expired or is not yet valid',
    CERT_NOT_YET_VALID: 'x509: certificate has expired or is not yet valid',
    ERR_TLS_CERT_ALTNAME_INVALID: 'x509: certificate is valid for other names',
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'x509: certificate signed by unknown authority',
    SELF_SIGNED_CERT_IN_CHAIN: 'x509: certificate signed by unknown authority',
  };
  return texts[code] ?? (error instanceof Error ? error.message : String(error));
}
