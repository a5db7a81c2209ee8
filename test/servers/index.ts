/**
 * Real servers for tests and the demo, at three levels: the API server alone, with Flux, and a whole cluster. Nothing
 * here knows of a test runner.
 */

export { IMAGES, toolPath } from '../../tools/servers/manifest.ts';
export {
  type ApiServer,
  type ApiServerOptions,
  applyCrds,
  startApiServer,
  startControllerManager,
} from './apiserver.ts';
export { available, type Level } from './available.ts';
export { type Bundle, writeBundle } from './bundle.ts';
export { leftovers } from './clean.ts';
export { type Cluster, type ClusterOptions, startCluster } from './cluster.ts';
export { copyService } from './copies.ts';
export { exec, must, type Result, until } from './exec.ts';
export { type Flux, startFlux } from './flux.ts';
export { type Files, type GitServer, readTree } from './git.ts';
export { startMetallb } from './metallb.ts';
export type { Daemon } from './run.ts';
