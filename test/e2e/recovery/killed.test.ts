/** Workers, tools, servers beside and the engine die in the middle of a recovery: it ends with just the data that its target promises. */
import { test } from 'vitest';
import { recoveries } from '../../../scripts/kills/recovery.ts';
import { expectSurvived, walkPatienceMs } from '../walked.ts';

test('a point-in-time recovery in which somebody is killed', () => expectSurvived(recoveries), walkPatienceMs);
