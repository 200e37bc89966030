/** Secrets are only named in a plan. The worker that needs one reads it, inside the activity. */

export type SecretSource = { from: 'env'; name: string } | { from: 'file'; path: string };

export const secretForm = /^\$\{(?:env:([A-Za-z_][A-Za-z0-9_]*)|file:(\/[^{}\n]+))\}$/;

export const howToNameSecrets = `write \${env:NAME} or \${file:/path}`;

/** Where a secret is read from; `undefined` when the text names none (it may be the secret itself: never show it). */
export function secretSource(text: string): SecretSource | undefined {
  const [, name, path] = secretForm.exec(text) ?? [];
  if (name !== undefined) return { from: 'env', name };
  return path === undefined ? undefined : { from: 'file', path };
}
