/**
 * The console's only use of node:crypto: its password, its API key, its session and form tokens.
 */
import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** 256 bits, 43 characters that are safe in a cookie and in a form. */
export function randomToken(): string {
  return randomBytes(32).toString('base64url');
}

/** For looking up or comparing secrets of high entropy without storing them. */
export function fingerprint(secret: string): Buffer {
  return createHash('sha256').update(secret, 'utf8').digest();
}

/** Constant time for candidates of any length: only digests are compared. */
export function matches(candidate: string, expected: Buffer): boolean {
  return timingSafeEqual(fingerprint(candidate), expected);
}

export type CheckLogin = (user: string, password: string) => Promise<boolean>;

/** Node's defaults (N=16384, r=8, p=1): 16 MiB and some 40 ms for each guess. */
const SCRYPT_KEY_BYTES = 32;

/**
 * Keeps only a salted scrypt hash of the password in memory. Checks both user and password every
 * time, so that neither time nor response reveals which one was wrong.
 */
export async function createLoginCheck(user: string, password: string): Promise<CheckLogin> {
  const salt = randomBytes(16);
  const expectedUser = fingerprint(user);
  const expectedPassword = await stretch(password, salt);
  return async (candidateUser, candidatePassword) => {
    const passwordIsRight = timingSafeEqual(
      await stretch(candidatePassword, salt),
      expectedPassword,
    );
    return matches(candidateUser, expectedUser) && passwordIsRight;
  };
}

function stretch(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, SCRYPT_KEY_BYTES, (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
}
