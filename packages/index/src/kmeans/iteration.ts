/** One way to move centroids; its state is what it has to know from one iteration to the next. */
export interface Iteration {
	/** One pass over the training rows. */
	run(): Promise<Pass>;
}

export interface Pass {
	/** Whether another pass would change nothing worth the while. */
	readonly converged: boolean;
	/** Whether the cells, as they are grouped, are those of the centroids as they are. */
	readonly settled: boolean;
	/** The squared distances of all rows from the centroids they were assigned to, as these were then, added up. */
	readonly inertia: number;
}
