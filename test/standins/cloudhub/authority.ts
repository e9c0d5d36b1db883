import 'reflect-metadata';
import { createHash, createHmac, type JsonWebKey, KeyObject, timingSafeEqual, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 86_400_000;

/** A certificate with its key, as TLS servers and clients take them. */
export interface Pair {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** When a certificate begins and ends, relative to now. */
export interface Validity {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Why a bearer token is refused, in the words of golang-jwt; undefined where it is good. */
type Refusal = 'token is malformed' | 'signature is invalid' | 'Token is expired';

/**
 * KubeEdge's certificate authority: a self-signed EC certificate, HS256 tokens keyed with the DER of its private key
 * (kubeedge/kubeedge pkg/security/token/token.go, v1.22.1) and certificates from PKCS#10 requests.
 */
export class Authority {
  readonly caDer: Buffer;
  readonly caPem: string;
  readonly #keyDer: Buffer;
  readonly #signingKey: webcrypto.CryptoKey;

  private constructor(certificate: x509.X509Certificate, signingKey: webcrypto.CryptoKey) {
    this.caDer = Buffer.from(certificate.rawData);
    this.caPem = certificate.toString('pem');
    this.#signingKey = signingKey;
    this.#keyDer = KeyObject.from(signingKey).export({ type: 'sec1', format: 'der' });
  }

  /** Makes a new authority; two of them never trust each other. */
  static async create(): Promise<Authority> {
    const keys = await webcrypto.subtle.generateKey(ecdsa, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: randomSerial(),
      name: 'CN=KubeEdge',
      ...period({ fromMs: -60_000, untilMs: 36_500 * dayMs }),
      signingAlgorithm: ecdsa,
      keys: keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.digitalSignature |
            x509.KeyUsageFlags.keyEncipherment |
            x509.KeyUsageFlags.keyCertSign,
          true,
        ),
      ],
    });
    return new Authority(certificate, keys.privateKey);
  }

  /** The first of the four parts of a token: hex SHA-256 of the authority's DER. */
  caHash(): string {
    return createHash('sha256').update(this.caDer).digest('hex');
  }

  /** A join token that lives for so many milliseconds; negative ones make an expired token. */
  token(lifeMs = dayMs): string {
    const head = base64url({ alg: 'HS256', typ: 'JWT' });
    const body = base64url({ exp: Math.floor((Date.now() + lifeMs) / 1000) });
    return `${this.caHash()}.${head}.${body}.${this.#sign(`${head}.${body}`)}`;
  }

  /** Checks the three parts that an edge sends as bearer token. */
  refusalOf(jwt: string): Refusal | undefined {
    const [head, body, signature, ...rest] = jwt.split('.');
    if (head === undefined || body === undefined || signature === undefined || rest.length > 0) {
      return 'token is malformed';
    }
    const wanted = Buffer.from(this.#sign(`${head}.${body}`));
    const given = Buffer.from(signature);
    if (wanted.length !== given.length || !timingSafeEqual(wanted, given)) return 'signature is invalid';
    const { exp } = JSON.parse(Buffer.from(body, 'base64url').toString()) as { exp?: number };
    return exp !== undefined && exp * 1000 < Date.now() ? 'Token is expired' : undefined;
  }

  /** Signs a DER request as cloudcore does: subject (CN and O only) from the request, whoever asks. */
  async signRequest(der: Uint8Array, validity: Validity): Promise<Buffer> {
    const request = new x509.Pkcs10CertificateRequest(Uint8Array.from(der));
    if (!(await request.verify()))
      throw new Error('Cannot sign: the signature of the request does not fit its key');
    const parts = ['O', 'CN'].flatMap((name) =>
      request.subjectName.getField(name).map((value) => ({ [name]: [value] })),
    );
    return this.#issue(new x509.Name(parts), await request.publicKey.export(), {
      validity,
      extensions: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
    });
  }

  /** A certificate for the servers with these names and addresses. */
  async serverPair(names: readonly string[], validity: Validity): Promise<Pair> {
    const alternatives = names.map(
      (name) => ({ type: isIP(name) === 0 ? 'dns' : 'ip', value: name }) as const,
    );
    return this.#newPair({
      validity,
      extensions: [
        new x509.SubjectAlternativeNameExtension(alternatives),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      ],
    });
  }

  async #newPair(options: IssueOptions): Promise<Pair> {
    const keys = await webcrypto.subtle.generateKey(ecdsa, true, ['sign', 'verify']);
    const der = await this.#issue(
      new x509.Name([{ O: ['KubeEdge'] }, { CN: ['KubeEdge'] }]),
      keys.publicKey,
      options,
    );
    const keyPem = KeyObject.from(keys.privateKey).export({ type: 'sec1', format: 'pem' }).toString();
    return { certificatePem: new x509.X509Certificate(der).toString('pem'), keyPem };
  }

  async #issue(subject: x509.Name, publicKey: webcrypto.CryptoKey, options: IssueOptions): Promise<Buffer> {
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: randomSerial(),
      subject: subject.toString(),
      issuer: 'CN=KubeEdge',
      ...period(options.validity),
      signingAlgorithm: ecdsa,
      publicKey,
      signingKey: this.#signingKey,
      extensions: [
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        ...options.extensions,
      ],
    });
    return Buffer.from(certificate.rawData);
  }

  #sign(text: string): string {
    return createHmac('sha256', this.#keyDer).update(text).digest('base64url');
  }
}

interface IssueOptions {
  readonly validity: Validity;
  readonly extensions: x509.Extension[];
}

function period(validity: Validity): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: new Date(Date.now() + validity.fromMs),
    notAfter: new Date(Date.now() + validity.untilMs),
  };
}

function base64url(value: JsonWebKey | Record<string, unknown>): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function randomSerial(): string {
  return Buffer.from(webcrypto.getRandomValues(new Uint8Array(8)))
    .toString('hex')
    .replace(/^[89a-f]/, '1');
}
