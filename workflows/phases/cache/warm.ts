/** Filling the cache at the rate of the plan, and whether clients find there what they ask for. */
import type { Found } from '../../../activities/shapes.ts';
import { addresses } from '../../../plan/hosts.ts';
import type { Run } from '../../runbook/run.ts';
import { askOf, type NamedCache, serverNamed } from './cache.ts';

type Asked = Found & { ratio?: number; hits: number; misses: number };

/** Counted from then on: what was asked for before, or by the warm-up itself, says nothing. */
export async function watchBefore(run: Run, named: NamedCache): Promise<void> {
  const { name, component } = named;
  const { warm } = component;
  if (warm === undefined) return;
  const asked = await run.check<Asked>(
    `What clients ask of ${name} is watched before it is warmed`,
    () => run.control.cacheHitRatio({ ...askOf(run, named), watchMs: warm.watch }),
    { yields: { hits: 0, misses: 0, found: 'not watched' } },
  );
  measure(run, `before the warm-up of ${name}`, asked);
}

export async function warmUp(run: Run, named: NamedCache, master: string): Promise<void> {
  const { name, component } = named;
  const { warm } = component;
  if (warm === undefined) return;
  await run.change<Found>(`Warm ${name}`, {
    preview: async () => ({
      will: `run ${warm.command.join(' ')} on ${warm.host}${warm.keys === undefined ? '' : `, with the keys of ${warm.keys}`}, ${warm.rate} a second at the most`,
      yields: { found: 'not warmed' },
    }),
    apply: () => {
      const { host, port } = serverNamed(named, master);
      return run.host(warm.host).warmCache({ warm, master: { host: addresses(run.plan)[host] ?? host, port } });
    },
    undo: { pointOfNoReturn: 'What was loaded into the cache stays there.' },
    skip: { yields: { found: 'not warmed' } },
  });
}

/** @throws CacheCold less was there than the plan wants */
export async function proveWarm(run: Run, named: NamedCache): Promise<void> {
  const { name, component } = named;
  const { warm } = component;
  if (warm === undefined) return;
  const asked = await run.prove<Asked>(
    `Clients find in ${name} what they ask for`,
    () =>
      run.control.cacheHitRatio({
        ...askOf(run, named),
        watchMs: warm.watch,
        ...(warm.hitRatio === undefined ? {} : { wanted: warm.hitRatio }),
      }),
    { yields: undefined },
  );
  if (asked !== undefined) measure(run, `after the warm-up of ${name}`, asked);
}

function measure(run: Run, when: string, { hits, misses }: Asked): void {
  const how = 'the growth of keyspace_hits and keyspace_misses of the master while it was watched';
  run.measure(`Hits ${when}`, hits, 'count', how);
  run.measure(`Misses ${when}`, misses, 'count', how);
}
