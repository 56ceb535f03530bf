import { HIDDEN } from './fields.js';

/**
 * The second line of defence. Error texts, stack traces and job logs are free text. Anything in
 * them that looks like a payer's ID, a signature or a key is removed.
 */
const PATTERNS: readonly RegExp[] = [
  // name=value, "name":"value", <name>value of names that are never shown
  /\b(?:openid|sub_openid|sp_openid|buyer_id|buyer_logon_id|buyer_open_id|buyer_user_id|payer|sign|signature|ciphertext|req_info|nonce_str)\b["']?\s*[=:>]\s*(?:<!\[CDATA\[)?["']?[^\s"'&<>,;\]}]+/gi,
  // WeChat openid: 28 characters, the first an "o"
  /\bo[A-Za-z0-9_-]{27}\b/g,
  // Alipay user ID
  /\b2088\d{12}\b/g,
  // MD5 and SHA-256 signatures in hex
  /\b(?:[0-9A-F]{32}|[0-9A-Fa-f]{64})\b/g,
  // Mail addresses and mobile numbers, complete or partly masked, as in Alipay's buyer_logon_id
  /[\w.*+-]+@[A-Za-z*][\w*-]*(?:\.[A-Za-z*][\w*-]*)+/g,
  /\b1\d{2}(?:\d{8}|\*{2,8}\d{2,4})(?!\d)/g,
];

/** As long as the shortest signature in base64 (32 bytes), or longer. */
const LONG_RUN = /[A-Za-z0-9+/_-]{43,}={0,2}/g;

export function maskText(text: string): string {
  const masked = PATTERNS.reduce((rest, pattern) => rest.replace(pattern, HIDDEN), text);
  // A file's path is a long run too, but has no digits or no capitals.
  return masked.replace(LONG_RUN, (run) =>
    /\d/.test(run) && /[A-Z]/.test(run) && /[a-z]/.test(run) ? HIDDEN : run,
  );
}
