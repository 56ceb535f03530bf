import { randomBytes, webcrypto } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadX509 } from '../machine/x509.js';
import { storeFolder } from './store-folder.js';

/** The access to a Redis that requires TLS and a password; everything is generated for one test. */
export interface RedisAccess {
  /** An ACL user, the only one with access. */
  readonly username: string;
  readonly password: string;
  /** PEM of the authority that signed the servers' certificate; no system trusts it. */
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

export interface OwnRedisAccess extends RedisAccess {
  remove(): void;
}

export async function makeRedisAccess(): Promise<OwnRedisAccess> {
  const folder = storeFolder('access');
  const put = (name: string, text: string) => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  const { ca, certificate, key } = await certify();
  return {
    username: 'payonce',
    password: randomBytes(16).toString('hex'),
    caFile: put('ca.pem', ca),
    certificateFile: put('server.pem', certificate),
    keyFile: put('server.key', key),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The settings of a server, replacing its plain port. */
export function accessSettings(access: RedisAccess, port: number): Record<string, string> {
  return {
    port: '0',
    'tls-port': String(port),
    'tls-cert-file': access.certificateFile,
    'tls-key-file': access.keyFile,
    'tls-ca-cert-file': access.caFile,
    'tls-auth-clients': 'no',
    // Between servers too, and from Sentinels to servers.
    'tls-replication': 'yes',
    ...(access.username !== 'default' && { 'user default': 'off' }),
    [`user ${access.username}`]: `on >${access.password} ~* &* +@all`,
  };
}

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const HOUR_MS = 3_600_000;

/** An authority, and its certificate for a server on 127.0.0.1. */
async function certify() {
  const x509 = await loadX509();
  x509.cryptoProvider.set(webcrypto);
  const newKeys = () => webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
  const [authority, server] = await Promise.all([newKeys(), newKeys()]);
  const validity = {
    notBefore: new Date(Date.now() - HOUR_MS),
    notAfter: new Date(Date.now() + 24 * HOUR_MS),
    signingAlgorithm: ECDSA,
  };
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    name: 'CN=An authority of one test',
    keys: authority,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity,
    subject: 'CN=Redis of one test',
    issuer: ca.subject,
    signingKey: authority.privateKey,
    publicKey: server.publicKey,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', server.privateKey);
  return {
    ca: `${ca.toString('pem')}\n`,
    certificate: `${certificate.toString('pem')}\n`,
    key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
  };
}
