import { alipay } from './alipay/alipay.js';
import type { ProviderDefinition } from './provider.js';

/** Every provider, once. Nothing below or beside this table enumerates providers. */
export const providers: readonly ProviderDefinition[] = [alipay];
