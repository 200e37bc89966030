/** Which keys the plan knows at a place: what a misspelt one is compared with. */
import { type JsonSchema, planJsonSchema } from './json-schema.ts';
import type { Path } from './problems.ts';

let whole: JsonSchema | undefined;

/** Empty where the writer chooses the keys: names of sites, hosts, runbooks. Where there are several kinds, those of all. */
export function knownKeys(path: Path): string[] {
  whole ??= planJsonSchema();
  const here = path.reduce<JsonSchema | undefined>((schema, part) => (schema ? step(schema, part) : undefined), whole);
  const candidates = here === undefined ? [] : [here, ...alternatives(here)];
  return [...new Set(candidates.flatMap(({ properties = {} }) => Object.keys(properties)))];
}

function step(schema: JsonSchema, part: string | number): JsonSchema | undefined {
  const candidates = [schema, ...alternatives(schema)];
  for (const { properties = {}, additionalProperties, items } of candidates) {
    const next =
      typeof part === 'number' ? items : Object.hasOwn(properties, part) ? properties[part] : additionalProperties;
    if (typeof next === 'object' && next !== null && !Array.isArray(next)) return next;
  }
  return undefined;
}

/** Of a section that comes in several kinds, each of them. */
function alternatives({ anyOf = [], oneOf = [] }: JsonSchema): JsonSchema[] {
  return [...anyOf, ...oneOf].filter((one) => typeof one === 'object');
}
