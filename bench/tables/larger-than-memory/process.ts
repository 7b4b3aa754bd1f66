// Plays one role and tells what came of it: ROLE, and its job as JSON. Started by in-process.ts alone.
import { type AnyPlay, ROLES, type RoleName, type Told } from "./roles.ts";

function tell(told: Told): Promise<void> {
	return new Promise((resolve) => process.send?.(told, () => resolve()));
}

// Whoever has started it is gone: nobody wants the rest, and gigabytes are being written.
const abandoned = () => process.exit();
process.once("disconnect", abandoned);

const [role = "", job = ""] = process.argv.slice(2);
try {
	const play: AnyPlay = await ROLES[role as RoleName]();
	await tell({ result: await play(JSON.parse(job) as never, (step) => void tell({ step })) });
} catch (error) {
	await tell({ error: (error as Error).stack ?? String(error) });
	process.exitCode = 1;
}
process.off("disconnect", abandoned);
process.disconnect?.();
