import { listens } from './ports.ts';
import { launch, type Site } from './site.ts';

/** How everybody reaches the service of two sites: by its name. */
export async function startNameDoor(site: Site): Promise<void> {
  const { ports, home, entry } = site;
  if (entry === undefined) throw new Error('an estate of one site has no name that leads to it');
  await launch(site, {
    name: 'name-door',
    command: home.node,
    args: [home.program('lab/name-door.js')],
    env: {
      LAB_NAME_PORT: String(ports.frontDoor.number),
      LAB_NAME: entry.name,
      LAB_NAME_RESOLVER: `127.0.0.1:${ports.resolver.number}`,
      LAB_NAME_TARGET_PORT: String(ports.siteDoor.number),
    },
    ports: [ports.frontDoor],
    ready: () => listens(ports.frontDoor.number),
  });
}
