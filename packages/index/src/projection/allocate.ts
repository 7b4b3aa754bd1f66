/**
 * The order of axes in which each of `groups` groups of the same number of neighbours has about the same product of variances (eigenvalue
 * allocation of parametric OPQ: Ge, He, Ke, Sun 2014, section 4.3): the axis with the largest variance left goes to the group that has least so far.
 */
export function allocateAxes(variances: ArrayLike<number>, groups: number): Uint32Array {
	const room = variances.length / groups;
	const order = Array.from({ length: variances.length }, (_, i) => i).sort(
		(a, b) => (variances[b] as number) - (variances[a] as number) || a - b,
	);
	// Variances that are nothing are as good as any other that is next to nothing.
	const floor = 1e-12 * Math.max(1e-300, variances[order[0] as number] ?? 0);
	const members: number[][] = Array.from({ length: groups }, () => []);
	const sums = new Float64Array(groups);
	for (const axis of order) {
		let least = -1;
		for (let group = 0; group < groups; group++) {
			if ((members[group] as number[]).length === room) continue;
			if (least < 0 || (sums[group] as number) < (sums[least] as number)) least = group;
		}
		(members[least] as number[]).push(axis);
		// From the floor on, so that what is added is never negative.
		sums[least] = (sums[least] as number) + Math.log(Math.max(floor, variances[axis] as number) / floor) + 1e-6;
	}
	return Uint32Array.from(members.flat());
}
