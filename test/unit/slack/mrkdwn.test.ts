import { expect, test } from 'vitest';
import { mrkdwn } from '../../../lab/slack/page/mrkdwn.ts';

test('a sign by its name is shown as one; a time, and a name that is none, stay as they are', () => {
  expect(mrkdwn(':warning: no answer').source).toBe('⚠️ no answer');
  expect(mrkdwn('at 14:02:11Z, :nosuch: and `:warning:`').source).toBe(
    'at 14:02:11Z, :nosuch: and <code>:warning:</code>',
  );
});
