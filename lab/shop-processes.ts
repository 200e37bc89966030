import { readLoadReport } from './load-report.ts';
import { database } from './postgres.ts';
import { launch, type Site } from './site.ts';

export async function startShop(site: Site): Promise<void> {
  const port = site.ports.app;
  await launch(site, {
    name: 'shop',
    command: site.home.node,
    args: [site.home.program('lab/shop.js')],
    env: {
      LAB_SHOP_PORT: String(port.number),
      PGHOST: '127.0.0.1',
      PGPORT: String(site.ports.frontDoor.number),
      PGDATABASE: database,
      PGUSER: 'orders',
      PGPASSWORD: site.secrets.orders,
    },
    ports: [port],
    ready: async () => (await fetch(`http://127.0.0.1:${port.number}/health`)).ok,
  });
}

/** @param timesFile gets a line for each purchase */
export async function startLoad(site: Site, ordersPerSecond: number, timesFile?: string): Promise<void> {
  await launch(site, {
    name: 'load',
    command: site.home.node,
    args: [site.home.program('lab/load.js')],
    env: {
      LAB_LOAD_SHOP: `http://127.0.0.1:${site.ports.app.number}`,
      LAB_LOAD_RATE: String(ordersPerSecond),
      LAB_LOAD_REPORT: site.layout.loadReport,
      ...(timesFile === undefined ? {} : { LAB_LOAD_TIMES: timesFile }),
    },
    ready: async () => ((await readLoadReport(site.layout.loadReport))?.orders ?? 0) > 0,
  });
}
