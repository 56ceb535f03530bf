import { z } from 'zod';
import { auditView } from '../schemas/audit.js';
import { statsView } from '../schemas/stats.js';
import { timelineView } from '../schemas/timeline.js';
import { apiKeyView, newApiKeyView } from './api-key-views.js';
import { auditRowView } from './audit-views.js';
import { channelView } from './channel-views.js';
import { deadLetterView } from './dead-letter-views.js';
import { deliveryView, orderEventDetailView, orderEventView } from './delivery-views.js';
import { endpointView, newEndpointView } from './endpoint-views.js';
import {
  eventView,
  heldEventView,
  notificationDetailView,
  notificationView,
  rawNotificationView,
} from './notification-views.js';
import { orderDetailView, orderView } from './order-views.js';
import { problemSchema } from './problems.js';
import { tradeEffectView } from './trade-views.js';

/** Schemas that the API's description refers to by name instead of repeating them. */
const NAMED = {
  ApiKey: apiKeyView,
  AuditEntry: auditView,
  AuditRow: auditRowView,
  Channel: channelView,
  DeadLetter: deadLetterView,
  Endpoint: endpointView,
  Delivery: deliveryView,
  Event: eventView,
  HeldEvent: heldEventView,
  NewApiKey: newApiKeyView,
  NewEndpoint: newEndpointView,
  Notification: notificationView,
  NotificationWithBody: notificationDetailView,
  Order: orderView,
  OrderEvent: orderEventView,
  OrderEventWithDeliveries: orderEventDetailView,
  OrderWithHistory: orderDetailView,
  RawNotification: rawNotificationView,
  Problem: problemSchema,
  Stats: statsView,
  Timeline: timelineView,
  TradeEffect: tradeEffectView,
} as const;

/** Into zod's registry, which has the descriptions of the fields. */
export function nameSchemas(): void {
  for (const [id, schema] of Object.entries(NAMED)) {
    z.globalRegistry.add(schema, { ...z.globalRegistry.get(schema), id });
  }
}
