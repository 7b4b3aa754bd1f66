import type { Certification } from "./certification.ts";

/** Share of what may be missed by which what serves is to be better than the target, as far as its recalls tell. */
export const HEADROOM = 0.2;

/**
 * The rung that serves a target, of those that have passed for it: the cheapest whose mean is a little above the target, or where none is, the cheapest. All that
 * have passed may serve, so that choosing among them by what was measured takes nothing from the certificate. A mean that lies just at the target would look
 * like a drop every few thousand audits; this one costs a few per cent more.
 *
 * @param target One of those of the certification.
 * @returns -1: none has passed.
 */
export function servingRung(certification: Certification, target: number): number {
	const certified = certification.certified(target);
	const wanted = target + HEADROOM * (1 - target);
	return certified.findLast((rung) => certification.meanOf(rung) >= wanted) ?? certified.at(-1) ?? -1;
}
