/** Waits for states that real sockets and real time lead to, without looking at a clock. */
export function makeWaiting() {
  /** Resolved, and made anew, whenever anything happens anywhere. */
  let happened = Promise.withResolvers<void>();
  return {
    /** Something happened. */
    stir(): void {
      happened.resolve();
      happened = Promise.withResolvers();
    },
    /** Resolves once it holds; looked at whenever something has happened. */
    async when(holds: () => boolean): Promise<void> {
      while (!holds()) await happened.promise;
    },
  };
}
