/**
 * Real servers for tests and the demo, at three levels: the API server alone, with Flux, and a whole cluster. Nothing
 * here knows of a test runner.
 */
export {
  type ApiServer,
  type ApiServerOptions,
  startApiServer,
  startControllerManager,
} from './apiserver.ts';
export { available, type Level } from './available.ts';
export { exec, must, until } from './exec.ts';
export { type Flux, startFlux } from './flux.ts';
export { type Files, type GitServer, readTree } from './git.ts';
