/** `degraded`: answers are right, but something needs attention. `failing`: something does not work. */
export type HealthStatus = "ok" | "degraded" | "failing";

export interface HealthReason {
	/** Stable, for programs, e.g. `"tail-full"` or `"recall-breached"`. */
	readonly code: string;
	readonly status: Exclude<HealthStatus, "ok">;
	/** What is the matter, with the numbers. */
	readonly message: string;
	/** What to do about it. */
	readonly recommendation: string;
}

export interface HealthReport {
	/** The worst of the reasons; `ok` without any. */
	readonly status: HealthStatus;
	readonly reasons: readonly HealthReason[];
}

/** The health of a database: its own, and that of every collection by name. The status is the worst of all. */
export interface DatabaseHealth extends HealthReport {
	readonly collections: Readonly<Record<string, HealthReport>>;
}
