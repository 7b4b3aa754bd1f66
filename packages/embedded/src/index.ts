export { type FolderRepairReport, repairFolder } from "./maintenance/repair-folder.ts";
export { openFolder } from "./open.ts";
export type { OpenOptions } from "./options.ts";
export { type PlannedMemory, type PlanOptions, planMemory } from "./plan-memory.ts";
export type { Durability } from "./records/connection.ts";
export { openShared, type SharedOptions } from "./share/open-shared.ts";
