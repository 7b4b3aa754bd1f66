export { createPool, MAX_THREADS, type PoolOptions, type ThreadPool } from "./pool.ts";
