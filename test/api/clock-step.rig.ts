/**
 * Preloaded into a program (`node --import`), sets its wall clock as an administrator or a time server would: each SIGUSR2 takes it a
 * step further, forward by an hour and then two hours back. What runs on the monotonic clock feels nothing.
 */
const STEPS_MS = [3_600_000, -7_200_000];
const Real = Date;
let offset = 0;
let next = 0;

process.on('SIGUSR2', () => {
  offset += STEPS_MS[next++ % STEPS_MS.length] ?? 0;
});

globalThis.Date = new Proxy(Real, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [Real.now() + offset] : args, newTarget),
  get: (target, name) => (name === 'now' ? () => Real.now() + offset : Reflect.get(target, name)),
});
