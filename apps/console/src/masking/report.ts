import { gatewayReport } from '@payonce/core/queue/report';
import { HIDDEN } from './fields.js';

/** A report has thousands at most; a page of Bull Board shows only some. */
const SHOWN_COPIES = 20;

/** A gateway's report contains nothing about a payer. Other data shows only that it exists. */
export function maskReport(data: unknown): unknown {
  const report = gatewayReport.safeParse(data);
  if (!report.success) return HIDDEN;
  const { copies, ...rest } = report.data;
  return { ...rest, notifications: copies.length, copies: copies.slice(0, SHOWN_COPIES) };
}
