/** What can go wrong between us and the API server. */

/** The server answered with a Status of 400 or more, or sent one as a watch event. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** metav1.Status.reason, e.g. "Conflict", "AlreadyExists", "Expired"; "" when the answer was no Status. */
  readonly reason: string;
  /** metav1.Status.details as sent: causes with their fields, for instance. */
  readonly details: unknown;
  readonly retryAfterMs?: number;

  constructor(
    message: string,
    o: { status: number; reason?: string; details?: unknown; retryAfterMs?: number | undefined },
  ) {
    super(message);
    this.status = o.status;
    this.reason = o.reason ?? '';
    this.details = o.details;
    if (o.retryAfterMs !== undefined) this.retryAfterMs = o.retryAfterMs;
  }
}

/** No answer, or half of one: refused, reset, timed out, cut. Whether the server acted is unknown. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
}

const statusIs = (e: unknown, status: number) => e instanceof ApiError && e.status === status;

/** 404: the object, or its whole kind, is not there. */
export const isNotFound = (e: unknown): boolean => statusIs(e, 404);
/** 409: the resourceVersion (or uid) moved on, another manager owns a field, or the name is taken. */
export const isConflict = (e: unknown): boolean => statusIs(e, 409);
/** 409 of a create whose name is taken. */
export const isAlreadyExists = (e: unknown): boolean =>
  e instanceof ApiError && e.status === 409 && e.reason === 'AlreadyExists';
/** 410: the resourceVersion or the continue token is older than what the server remembers. */
export const isGone = (e: unknown): boolean => statusIs(e, 410);
/** 403: RBAC, or an admission plugin that says Forbidden. */
export const isForbidden = (e: unknown): boolean => statusIs(e, 403);
/** 422: the schema or a policy refuses the object. */
export const isInvalid = (e: unknown): boolean => statusIs(e, 422);
/** 401: no valid credentials. */
export const isUnauthorized = (e: unknown): boolean => statusIs(e, 401);

export function isRecord(v: unknown): v is Record<string, unknown> {
  return typeof v === 'object' && v !== null && !Array.isArray(v);
}

/** Reads a metav1.Status, of an HTTP answer or of a watch event, into an ApiError. `what` says what was asked. */
export function statusError(
  what: string,
  raw: unknown,
  o: { status?: number; retryAfterMs?: number | undefined } = {},
): ApiError {
  const s = isRecord(raw) && raw.kind === 'Status' ? raw : {};
  const status = o.status ?? (typeof s.code === 'number' ? s.code : 500);
  const text = typeof s.message === 'string' && s.message !== '' ? s.message : `status ${status}`;
  return new ApiError(`${what}: ${text}`, {
    status,
    reason: typeof s.reason === 'string' ? s.reason : '',
    details: s.details,
    retryAfterMs: o.retryAfterMs,
  });
}
