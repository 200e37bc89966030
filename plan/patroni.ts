/** Where Patroni's REST API answers, and as whom it takes orders. */
import { z } from 'zod';
import { name, path, port, secret, text } from './values.ts';

export const patroniRest = z
  .strictObject({
    port: port.default(8008),
    protocol: z.enum(['http', 'https'], 'write http or https').default('http'),
    urls: z
      .record(
        name,
        z.url({ protocol: /^https?$/, error: 'not an address: write http://host:port or https://host:port' }),
      )
      .optional()
      .describe('By host, where it differs from protocol://host:port'),
    user: text.optional().describe('restapi.authentication of Patroni; switchover and failover need it'),
    password: secret.optional(),
    /** Certificate authority of the endpoints, PEM. */
    caFile: path.optional(),
  })
  .describe("Patroni's REST API, the same for all members but for their hosts");
