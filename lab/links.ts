/** The links between two regions: one way each, so that one can be cut while the other is whole. */
import { writeFile } from 'node:fs/promises';
import { launch, type Site } from './site.ts';

/** Who goes to whom. */
export type Link = 'east-to-west' | 'west-to-east';

/** What can happen to the links; what was done lasts until it is mended. */
export interface Links {
  /** Open connections end, new ones are refused. */
  cut(link: Link): Promise<void>;
  /** Nothing comes through any more, and nobody is told: as when a firewall drops what it sees. */
  silence(link: Link): Promise<void>;
  /** Each answer comes so much later. */
  slow(link: Link, milliseconds: number): Promise<void>;
  mend(link: Link): Promise<void>;
}

export async function startLinks(site: Site): Promise<void> {
  const { ports, programs, layout } = site;
  if (programs.toxiproxy === undefined) throw new Error('an estate of one site has no links');
  const link = (name: Link, listen: number, upstream: number) => ({
    ...{ name, enabled: true },
    listen: `127.0.0.1:${listen}`,
    upstream: `127.0.0.1:${upstream}`,
  });
  await writeFile(
    layout.links,
    JSON.stringify([
      link('west-to-east', ports.linkToEast.number, ports.db1.number),
      link('east-to-west', ports.linkToWest.number, ports.db2.number),
    ]),
  );
  await launch(site, {
    name: 'links',
    command: programs.toxiproxy,
    args: ['-host', '127.0.0.1', '-port', String(ports.links.number), '-config', layout.links],
    ports: [ports.links, ports.linkToEast, ports.linkToWest],
    ready: async () => Object.keys((await told(site, 'GET', '/proxies')) as object).length === 2,
  });
}

export function linksOf(site: Site): Links {
  const set = (link: Link, enabled: boolean) => told(site, 'POST', `/proxies/${link}`, { enabled });
  const disturb = (link: Link, type: string, attributes: object) =>
    told(site, 'POST', `/proxies/${link}/toxics`, { name: type, type, stream: 'downstream', attributes });
  return {
    cut: async (link) => void (await set(link, false)),
    silence: async (link) => void (await disturb(link, 'timeout', { timeout: 0 })),
    slow: async (link, milliseconds) => void (await disturb(link, 'latency', { latency: milliseconds })),
    mend: async (link) => {
      for (const { name } of (await told(site, 'GET', `/proxies/${link}/toxics`)) as { name: string }[])
        await told(site, 'DELETE', `/proxies/${link}/toxics/${name}`);
      await set(link, true);
    },
  };
}

/** Toxiproxy's own interface. @see https://github.com/Shopify/toxiproxy#http-api */
async function told({ ports }: Site, method: string, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${ports.links.number}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: Toxiproxy says ${answer.status}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
