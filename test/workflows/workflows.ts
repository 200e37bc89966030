/** What the tests' workers register: the runbooks, and what the tests themselves have made up. */
export * from '../../workflows/index.ts';
export { bringing } from './bringing.ts';
export { bringingFiles } from './bringing-files.ts';
export { crossing, rowing } from './crossing.ts';
export { recovered } from './recovered.ts';
