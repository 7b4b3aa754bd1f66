import { certifying } from "./certify.ts";
import { eventLoop } from "./event-loop.ts";
import { filters } from "./filters.ts";
import { importing } from "./import.ts";
import { ingest } from "./ingest.ts";
import type { Measurement } from "./measurement.ts";
import { opening } from "./open.ts";
import { overhead } from "./overhead.ts";
import { space } from "./space.ts";

/** In the order of the report. */
export const MEASUREMENTS: Readonly<Record<string, Measurement>> = {
	ingest,
	import: importing,
	"event-loop": eventLoop,
	open: opening,
	overhead,
	filters,
	certify: certifying,
	space,
};
