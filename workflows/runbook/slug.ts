/** `Switch the primary` as `switch-the-primary`: in ids of steps and in keys of a plan. */
export function slug(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
