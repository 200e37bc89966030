/** A unit is one component: two of them would stop and start it against each other. */
import { rule } from './rule.ts';

export const eachUnitIsOneComponent = rule(['components'], ({ components = {} }, say) => {
  const known = new Map<string, string>();
  for (const [name, component] of Object.entries(components)) {
    if (component.kind !== 'systemd') continue;
    const unit = `${component.unit} on ${component.host}`;
    const first = known.get(unit);
    if (first === undefined) known.set(unit, name);
    else
      say(['components', name, 'unit'], `${unit} is the component ${first} already`, {
        instead: 'leave one of the two out',
      });
  }
});
