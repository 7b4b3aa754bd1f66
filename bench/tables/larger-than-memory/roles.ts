import type { OnStep } from "./run.ts";

/** What a process of the table does, by its name. Loaded where it is done: nothing else is to be in the memory that is measured. */
export const ROLES = {
	make: async () => (await import("./make-set.ts")).makeSet,
	load: async () => (await import("./load-database.ts")).loadDatabase,
	serve: async () => (await import("./serve-database.ts")).serveDatabase,
} as const;

export type RoleName = keyof typeof ROLES;
type Play<R extends RoleName> = Awaited<ReturnType<(typeof ROLES)[R]>>;
export type JobOf<R extends RoleName> = Parameters<Play<R>>[0];
export type ResultOf<R extends RoleName> = Awaited<ReturnType<Play<R>>>;

/** Any of them, for who has its job as JSON. */
export type AnyPlay = (job: never, onStep: OnStep) => Promise<unknown>;

/** What a process tells the one that has started it. */
export type Told = { readonly step: string } | { readonly result: unknown } | { readonly error: string };
