import type { Dialect } from './dialect.ts';
import { legacy } from './legacy.ts';
import { native } from './native.ts';

/** All dialects, the most specific fingerprints first. */
export const DIALECTS: readonly Dialect[] = [legacy, native];
