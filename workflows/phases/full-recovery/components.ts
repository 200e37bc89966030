/** Everything besides the database: brought back side by side where nothing is between two of them, and looked at again. */
import { failure } from '../../runbook/failure.ts';
import { inOrder } from '../components/order.ts';
import type { Everything, FullRecoveryRun, Part } from './assess.ts';

export async function bringBackComponents(run: FullRecoveryRun, { parts }: Everything): Promise<void> {
  const components = run.plan.components ?? {};
  const alone = parts.filter(({ becomes }) => becomes === 'left-alone');
  if (alone.length > 0)
    run.notePhase('application', `${alone.map(({ name }) => name).join(', ')}: healthy, and left alone`);
  const back = parts.filter(({ becomes }) => becomes !== 'left-alone');
  const names = back.map(({ name }) => name);
  await run.together(...inOrder(components, names, async (name) => comesBack(partOf(back, name))));
}

async function comesBack({ bringing, becomes }: Part): Promise<void> {
  await (becomes === 'again' && bringing.beginAnew ? bringing.beginAnew() : bringing.bringBack());
}

/** Also what was left alone: it may have lost what it stands on meanwhile. */
export async function componentsStand(run: FullRecoveryRun, { parts }: Everything): Promise<void> {
  await run.together(
    ...parts.map(
      ({ name, bringing }) =>
        () =>
          run.prove(`${name} is healthy`, async () => {
            const { healthy, serves, ...found } = await bringing.look();
            if (healthy || serves) return found;
            throw failure('NotHealthy', `${name} is not healthy: ${found.found}. Mend it, and look again.`);
          }),
    ),
  );
}

function partOf(parts: readonly Part[], name: string): Part {
  const found = parts.find((part) => part.name === name);
  if (found === undefined) throw failure('Bug', `${name} is no part of what is brought back`);
  return found;
}
