import { hostQueue } from '../../workflows/messages.ts';

/** The bench's own worker stands for a host of this name: so runbooks can ask it too. */
export const benchHost = 'bench';
export const benchQueue = hostQueue(benchHost);
