import { charm } from './charm.ts';
import type { Dialect } from './dialect.ts';
import { inline } from './inline.ts';
import { kubesprayConfig } from './kubespray-config.ts';
import { kubesprayRange } from './kubespray-range.ts';
import { legacy } from './legacy.ts';
import { native } from './native.ts';
import { objects } from './objects.ts';
import { paletteHelm, paletteManifest } from './palette.ts';

/** All dialects, the most specific fingerprints first. */
export const DIALECTS: readonly Dialect[] = [
  objects,
  kubesprayConfig,
  kubesprayRange,
  paletteManifest,
  paletteHelm,
  charm,
  inline,
  legacy,
  native,
];
