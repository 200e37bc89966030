import { z } from 'zod';
import { name } from '../values.ts';

/** Said of every component. The database is always there before any of them. */
export const standingOn = {
  after: z.array(name).default([]).describe('Components that must be there before this one can be brought back'),
};
