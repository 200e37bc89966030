/** Components that stand on others stand on something, and not on themselves. */
import type { Components } from '../components.ts';
import { addresses } from '../hosts.ts';
import { nearestKey } from '../issues.ts';
import { rule } from './rule.ts';

export const componentsStandOnKnownOnes = rule(['components'], ({ components = {} }, say) => {
  const known = Object.keys(components);
  for (const [name, { after }] of Object.entries(components))
    for (const [index, other] of after.entries())
      if (!known.includes(other)) {
        const near = nearestKey(other, known);
        say(['components', name, 'after', index], `there is no component "${other}"`, {
          instead: near === undefined ? `the components are ${known.join(', ')}` : `did you mean "${near}"?`,
        });
      }
});

export const componentsStandOnNoneOfTheirOwn = rule(['components'], ({ components = {} }, say) => {
  for (const name of Object.keys(components)) {
    const circle = wayBackTo(name, components);
    if (circle !== undefined)
      say(['components', name, 'after'], `${circle.join(' waits for ')}: none of them could ever begin`, { at: 'key' });
  }
});

/** The names from a component over what it stands on back to itself. */
function wayBackTo(name: string, components: Components): string[] | undefined {
  const seen = new Set<string>();
  const walk = (at: string, way: string[]): string[] | undefined => {
    for (const next of components[at]?.after ?? []) {
      if (next === name) return [...way, next];
      if (seen.has(next)) continue;
      seen.add(next);
      const found = walk(next, [...way, next]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return walk(name, [name]);
}

export const componentsLieOnKnownHosts = rule(['sites', 'components'], ({ sites, components = {} }, say) => {
  const known = Object.keys(addresses({ sites }));
  for (const [name, component] of Object.entries(components)) {
    if (!('host' in component) || known.includes(component.host)) continue;
    const near = nearestKey(component.host, known);
    say(['components', name, 'host'], `host "${component.host}" is in no site`, {
      instead: near === undefined ? `the sites have ${known.join(', ') || 'no host'}` : `did you mean "${near}"?`,
    });
  }
});
