import { gatewayReport } from '@payonce/core/reports/report';
import { HIDDEN } from './fields.js';

/** A report tells of thousands at most; a page of Bull Board shows that there are some. */
const SHOWN_COPIES = 20;

/** A gateway's report holds nothing of a payer. Whatever is no report shows as nothing but its being there. */
export function maskReport(data: unknown): unknown {
  const report = gatewayReport.safeParse(data);
  if (!report.success) return HIDDEN;
  const { copies, ...rest } = report.data;
  return { ...rest, notifications: copies.length, copies: copies.slice(0, SHOWN_COPIES) };
}
