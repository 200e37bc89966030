/** Request URL: Slack posts to an address of the app, and signs what it posts. https://docs.slack.dev/authentication/verifying-requests-from-slack */
import { createHmac } from 'node:crypto';

export interface SignedRequest {
  headers: Record<string, string>;
  body: string;
}

/** @param at seconds since 1970, as Slack says it sent it */
export function signedRequest(
  secret: string,
  payload: Record<string, unknown>,
  kind: 'interactive' | 'slash_commands',
  at = Math.floor(Date.now() / 1000),
): SignedRequest {
  const fields = Object.entries(payload).map(([name, value]): [string, string] => [name, String(value)]);
  const form = kind === 'interactive' ? { payload: JSON.stringify(payload) } : fields;
  const body = new URLSearchParams(form).toString();
  const signature = createHmac('sha256', secret).update(`v0:${at}:${body}`).digest('hex');
  return {
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': String(at),
      'x-slack-signature': `v0=${signature}`,
    },
    body,
  };
}

/** What the app answers with, as with an acknowledgement. @throws when it is not 200 in time */
export async function postSigned(url: string, { headers, body }: SignedRequest, withinMs: number): Promise<unknown> {
  const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(withinMs) });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`the app answered ${answer.status}`);
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // A plain text is what is said to the user.
    return text;
  }
}
