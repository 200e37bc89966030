export interface MetricsAddress {
  host: string;
  port: number;
}

/**
 * Where a worker serves its metrics, from LIFEBOAT_METRICS; `undefined` where nobody wants any.
 *
 * Host and port both: a worker that guessed the host would show its metrics to more networks than it was meant to.
 * @throws Error with what to write instead
 */
export function metricsAddress(text: string | undefined): MetricsAddress | undefined {
  if (text === undefined || text === '') return undefined;
  const [, v6, name, digits] = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = v6 ?? name;
  const port = Number(digits);
  if (host !== undefined && port >= 1 && port <= 65_535) return { host, port };
  throw new Error(
    `LIFEBOAT_METRICS is "${text}": write the one address to listen on, such as 127.0.0.1:9464 or [::1]:9464, or leave it unset to serve none`,
  );
}
