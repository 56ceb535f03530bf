import type { PaymentProvider, Verification } from '@payonce/providers/provider';
import type { SignedRequest } from '@payonce/testkit/signers/request';
import { NOW, received } from './harness.js';

export const verdict = (provider: PaymentProvider, request: SignedRequest, at = NOW) =>
  provider.verify(received(request, at));

export const reasonOf = (verification: Verification) =>
  verification.ok ? 'accepted' : verification.reason;

function accepted(provider: PaymentProvider, request: SignedRequest, at = NOW) {
  const verification = verdict(provider, request, at);
  if (!verification.ok) throw new Error(`rejected as ${verification.reason}`);
  return verification;
}

/** All fields that later steps rely on. */
export function said(provider: PaymentProvider, request: SignedRequest) {
  const { request: verified, notificationId, digest, ...rest } = accepted(provider, request);
  const { shardKey, authenticity } = rest;
  return { notificationId, digest, shardKey, authenticity, events: provider.decode(verified) };
}
