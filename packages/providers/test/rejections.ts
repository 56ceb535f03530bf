import type { RejectReason } from '@payonce/providers/provider';
import { expect } from 'vitest';

/** Nothing proves where it comes from. */
export const rejection = (reason: RejectReason) => ({ ok: false, reason });

/** The provider signed it. */
export const signedRejection = (reason: RejectReason) => ({
  ...rejection(reason),
  signedDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
});
