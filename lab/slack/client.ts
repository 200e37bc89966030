/** The workspace from outside: what is seen in it, and what it is told to do wrong. For tests and the demo. */
import type { Rule } from './faults.ts';
import type { Told } from './interactions.ts';
import type { Message, View } from './workspace.ts';

export interface WorkspaceState {
  messages: Message[];
  views: View[];
  /** What the app was told, and whether it acknowledged. */
  told: Told[];
  sockets: { open: number; opened: number };
  /** How often each rule of `faults` has struck. */
  struck: number[];
}

export interface WorkspaceClient {
  state(): Promise<WorkspaceState>;
  /** Replaces the rules; none: all is well again. */
  faults(...rules: Rule[]): Promise<void>;
  /** As Slack does every few hours. */
  refresh(): Promise<void>;
  /** Ends every socket without a word. */
  drop(): Promise<void>;
  /** Tells the app the newest thing again. */
  again(): Promise<Told>;
  /** Posts to this address from now on; without one, by Socket Mode. */
  requestUrl(address?: string): Promise<void>;
  /** Clicks a button, as somebody; `version`, as it was before so many updates. */
  click(
    as: string,
    button: { channel: string; ts: string; block: string; action: string; version?: number },
  ): Promise<void>;
  submit(as: string, view: string, values: Record<string, string>): Promise<void>;
  say(as: string, channel: string, line: string): Promise<void>;
}

export function workspaceAt(url: string): WorkspaceClient {
  const ask = async (method: string, path: string, body?: unknown): Promise<Response> => {
    const answer = await fetch(`${url}/${path}`, {
      method,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  const done = async (method: string, path: string, body?: unknown): Promise<void> =>
    void (await ask(method, path, body));
  return {
    state: async () => (await (await ask('GET', 'lab/state')).json()) as WorkspaceState,
    faults: (...rules) => done('PUT', 'lab/faults', rules),
    refresh: () => done('POST', 'lab/refresh'),
    drop: () => done('POST', 'lab/drop'),
    again: async () => (await (await ask('POST', 'lab/again')).json()) as Told,
    requestUrl: (address = '') => done('PUT', 'lab/request-url', address),
    click: (as, button) => done('POST', 'page/click', { as, ...button }),
    submit: (as, view, values) => done('POST', 'page/submit', { as, view, values }),
    say: (as, channel, line) => done('POST', 'page/say', { as, channel, line }),
  };
}
