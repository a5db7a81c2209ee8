import { defineConfig } from 'vitest/config';

/** One project per level of reality: `unit` needs nothing, the others real servers or a kernel. */
const server = (name: string, seconds: number, maxWorkers = 1) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: seconds * 1000,
    hookTimeout: 300_000,
    fileParallelism: maxWorkers > 1,
    maxWorkers,
    pool: 'forks' as const,
  },
});

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          testTimeout: 30_000,
          // Files share what they import: most of their time would go into reading the same modules again.
          isolate: false,
          include: ['src/**/*.test.ts', 'tools/**/*.test.ts', 'test/docs/**/*.test.ts'],
        },
      },
      // Servers start and watches wait longer than they work.
      server('api', 60, 2),
      // Flux waits more than it works.
      server('gitops', 120, 2),
      server('interop', 180),
      server('lab', 60),
      server('e2e', 300),
      // Not part of `make test`.
      server('search', 300),
    ],
  },
});
